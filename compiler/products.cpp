#include "products.h"

#include "../ops/defs/matmul.h"

namespace weft {

const Graph::Node* product(const Graph& graph, const Step& step) {
  const auto* node = std::get_if<NodeStep>(&step);
  const Graph::Node* n = node ? &graph.nodes[node->node] : nullptr;
  return n && n->op == &op_of<MatMul>() ? n : nullptr;
}

MatmulShape product_shape(const Graph& graph, const NodeStep& step) {
  const Access &a = step.in[0], &b = step.in[1];
  const Type& out = graph.type(step.out);
  MatmulShape s;
  s.m = out.shape[0], s.n = out.shape[1], s.k = a.shape[1], s.dtype = out.dtype;
  s.a_row = a.strides[0], s.a_col = a.strides[1], s.b_row = b.strides[0], s.b_col = b.strides[1];
  return s;
}

const std::byte* product_operand(const Graph& graph, const NodeStep& step, std::size_t k, std::byte* const* slots) {
  return slots[step.in[k].base] + step.in[k].offset * static_cast<std::int64_t>(size_of(graph.type(step.out).dtype));
}

}  // namespace weft
