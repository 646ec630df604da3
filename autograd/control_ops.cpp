#include "control_ops.h"

#include "../ops/defs/shape.h"

namespace weft::control {

Type stacked(const Type& t, std::int64_t n) {
  Type s = t;
  s.shape.insert(0, n);
  return s;
}

View element(const View& stack, std::int64_t i) {
  View e = stack;
  e.data = stack.as<std::byte>() + i * stack.strides[0] * static_cast<std::int64_t>(size_of(stack.dtype));
  e.shape.erase(0);
  e.strides.erase(0);
  return e;
}

std::vector<Tensor> apply_several(const Op& op, const Attrs& attrs, std::size_t outputs, std::span<const Tensor> in) {
  std::vector<Tensor> out(outputs);
  apply(op, attrs, in, out);
  return out;
}

ValueId source_of(const Graph& graph, ValueId v) {
  for (const Graph::Node* n = graph.producer(v); n && (n->op == &op_of<Reshape>() || n->op == &op_of<Contiguous>());
       n = graph.producer(v))
    v = n->in[0];
  return v;
}

std::vector<bool> inputs_read(const Graph& graph) {
  std::vector<bool> values(graph.values.size()), list;
  for (const Graph::Node& n : graph.nodes)
    for (const ValueId v : n.in) values[v] = true;
  for (const ValueId v : graph.outputs) values[v] = true;
  for (const ValueId v : graph.inputs) list.push_back(values[v]);
  return list;
}

Body without_unread_inputs(const Graph& graph, std::vector<bool>& may_go) {
  const std::vector<bool> read = inputs_read(graph);
  GraphCopy copy(graph);
  for (std::size_t k = 0; k < graph.inputs.size(); ++k) {
    may_go[k] = may_go[k] && !read[k];
    if (!may_go[k]) copy.input(graph.inputs[k]);
  }
  copy.nodes();
  return std::make_shared<const Graph>(copy.returning(graph.outputs));
}

}  // namespace weft::control
