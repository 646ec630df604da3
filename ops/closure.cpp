#include "closure.h"

#include "apply.h"
#include "trace.h"

namespace weft {

std::vector<Tensor> Closure::inputs(std::span<const Tensor> args) const {
  std::vector<Tensor> all(args.begin(), args.end());
  all.insert(all.end(), captured.begin(), captured.end());
  return all;
}

Closure close_over(std::span<const Type> types, const TensorFunction& f) {
  Trace trace;
  std::vector<Tensor> placeholders, results;
  for (const Type& t : types) placeholders.push_back(trace.add_input(t));
  {
    const TraceScope scope(&trace);
    results = f(placeholders);
  }
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
    c.captured.push_back(v.variable ? Variable::handle(v.variable).value() : v.tensor);
    if (!v.assigned) continue;
    trace.graph.outputs.push_back(v.assigned_value);
    c.assigned.push_back(v.variable);
    c.assigned_from.push_back(k);
    c.assigned_at.push_back(v.site);
  }
  c.graph = std::make_shared<const Graph>(without_dead_nodes(trace.graph));
  return c;
}

std::vector<Tensor> replay(const Graph& graph, std::span<const Tensor> inputs) {
  std::vector<Tensor> values(graph.values.size());
  for (std::size_t k = 0; k < graph.inputs.size(); ++k) values[graph.inputs[k]] = inputs[k];
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    if (graph.values[v].kind != Graph::Value::constant) continue;
    const Tensor& constant = graph.constants[graph.values[v].index];
    values[v] = Tensor::on(constant.storage(), constant.view());  // to a trace that we are in: a literal of its own
  }
  std::vector<int> uses(graph.values.size());  // values go when their last reader has had them
  for (const Graph::Node& n : graph.nodes)
    for (const ValueId v : n.in) ++uses[v];
  for (const ValueId v : graph.outputs) ++uses[v];
  std::vector<Tensor> in;
  for (const Graph::Node& n : graph.nodes) {
    const SiteScope site(n.site);
    in.clear();
    for (const ValueId v : n.in) in.push_back(values[v]);
    apply(*n.op, n.attrs, in, std::span(values).subspan(n.out, static_cast<std::size_t>(n.outputs)));
    for (const ValueId v : n.in)
      if (--uses[v] == 0) values[v] = {};
  }
  std::vector<Tensor> out;
  for (const ValueId v : graph.outputs) out.push_back(values[v]);
  return out;
}

}  // namespace weft
