#include "closure.h"

#include "apply.h"
#include "replay.h"
#include "trace.h"

namespace weft {

std::vector<Tensor> Closure::inputs(std::span<const Tensor> args) const {
  std::vector<Tensor> all(args.begin(), args.end());
  all.insert(all.end(), captured.begin(), captured.end());
  return all;
}

std::shared_ptr<const Graph> Closure::self_contained() const {
  if (captured.empty()) return graph;
  const std::vector<Tensor> stay(arguments);
  return std::make_shared<const Graph>(with_constants(*graph, inputs(stay), graph->equal));
}

Closure close_over(std::span<const Type> types, const TensorFunction& f, EqualNodes equal) {
  Trace trace(equal);
  std::vector<Tensor> placeholders, results;
  for (const Type& t : types) placeholders.push_back(trace.add_input(t));
  {
    const TraceScope scope(&trace);
    results = f(placeholders);
  }
  if (Tracer* const outer = active_tracer())
    outer->asked_trainable.insert(outer->asked_trainable.end(), trace.asked_trainable.begin(),
                                  trace.asked_trainable.end());
  Closure c;
  c.arguments = types.size();
  c.results = results.size();
  for (const Tensor& t : results) {
    if (!t.defined())
      throw GuardError("a traced function returned an undefined tensor",
                       "a gradient that does not exist? Unconnected::zero gives zeros");
    trace.graph.outputs.push_back(trace.value_of(t));
  }
  for (std::size_t k = 0; k < trace.captures.size(); ++k) {
    const Trace::Capture& v = trace.captures[k];
    c.captured.push_back(v.variable ? Variable::handle(v.variable).own_value() : v.tensor);
    if (!v.assigned) continue;
    trace.graph.outputs.push_back(trace.value_of(v.value));  // as what follows reads it: a loop's next round
    c.assigned.push_back(v.variable);
    c.assigned_from.push_back(k);
    c.assigned_at.push_back(v.site);
  }
  c.graph = std::make_shared<const Graph>(without_dead_nodes(trace.graph));
  return c;
}

std::vector<Type> types_of(std::span<const Tensor> tensors) {
  std::vector<Type> types;
  for (const Tensor& t : tensors) types.push_back(t.type());
  return types;
}

std::vector<Tensor> replay(const Graph& graph, std::span<const Tensor> inputs) {
  return detail::replay_nodes(
      graph, inputs,
      [](const Graph::Node& n, std::span<const Tensor> in, std::span<Tensor> out) { apply(*n.op, n.attrs, in, out); });
}

}  // namespace weft
