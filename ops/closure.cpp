#include "closure.h"

#include "apply.h"
#include "trace.h"

namespace weft {
namespace {

// Takes tensors of its surroundings, traced or not, as inputs.
class ClosingTrace final : public Trace {
 public:
  // The tensors, and undefined for each variable, in the order of the graph's inputs from `arguments` on.
  std::vector<Tensor> captured;
  std::vector<std::shared_ptr<VariableState>> captured_variables;  // beside them; null for tensors

  void start() { first_id_ = Tensor::placeholder({f32, {}}).id(); }

  Tensor read(const std::shared_ptr<VariableState>& variable) override {
    const std::size_t before = variables.size();
    Tensor value = Trace::read(variable);
    note(before, variable);
    return value;
  }
  void assign(const std::shared_ptr<VariableState>& variable, const Tensor& value) override {
    const std::size_t before = variables.size();
    Trace::assign(variable, value);
    note(before, variable);
  }

 private:
  void note(std::size_t before, const std::shared_ptr<VariableState>& variable) {
    if (variables.size() == before) return;
    captured.emplace_back();
    captured_variables.push_back(variable);
  }
  ValueId capture(const Tensor& t) override {
    // A literal of the function's own: scalars younger than the trace. Nobody can ask for its gradient.
    if (!t.is_traced() && t.rank() == 0 && t.id() > first_id_) return graph.add_constant(t);
    captured.push_back(t);
    captured_variables.push_back(nullptr);
    return graph.add_input(t.type());
  }
  std::uint64_t first_id_ = 0;
};

}  // namespace

std::vector<Tensor> Closure::inputs(std::span<const Tensor> args) const {
  std::vector<Tensor> all(args.begin(), args.end());
  all.insert(all.end(), captured.begin(), captured.end());
  return all;
}

Closure close_over(std::span<const Type> types, const TensorFunction& f) {
  ClosingTrace trace;
  std::vector<Tensor> placeholders, results;
  for (const Type& t : types) placeholders.push_back(trace.add_input(t));
  trace.start();
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
  for (const Trace::Captured& v : trace.variables) {
    if (!v.assigned) continue;
    trace.graph.outputs.push_back(trace.value_of(v.value));
    c.assigned.push_back(v.state);
  }
  for (std::size_t k = 0; k < trace.captured.size(); ++k) {
    const auto& variable = trace.captured_variables[k];
    c.captured.push_back(variable ? Variable::handle(variable).value() : trace.captured[k]);
  }
  for (const auto& v : c.assigned)
    for (std::size_t k = 0; k < trace.captured_variables.size(); ++k)
      if (trace.captured_variables[k] == v) c.assigned_from.push_back(k);
  c.graph = std::make_shared<const Graph>(without_dead_nodes(trace.graph));
  return c;
}

std::vector<Tensor> replay(const Graph& graph, std::span<const Tensor> inputs) {
  std::vector<Tensor> values(graph.values.size());
  for (std::size_t k = 0; k < graph.inputs.size(); ++k) values[graph.inputs[k]] = inputs[k];
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].kind == Graph::Value::constant) values[v] = graph.constants[graph.values[v].index];
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
