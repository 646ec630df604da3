#include "known_numbers.h"

#include <vector>

#include "../ops/kernels/formula_fold.h"

namespace weft {

std::optional<std::uint64_t> known_number(const Graph& graph, ValueId v) {
  const DType type = compute_type(graph.type(v).dtype);
  for (const Graph::Node* n = graph.producer(v); n && n->op->kind == OpKind::view; n = graph.producer(v)) v = n->in[0];
  if (!graph.is_scalar_constant(v)) return std::nullopt;
  std::uint64_t bits = 0;
  const View number = graph.constants[graph.values[v].index].view();
  copy_elements({number.dtype, {}, {}, number.data}, {type, {}, {}, &bits});
  return bits;
}

Formula formula_of(const Graph& graph, const Graph::Node& node) {
  std::vector<KnownOperand> known;
  for (std::size_t k = 0; k < node.in.size(); ++k)
    if (const auto bits = known_number(graph, node.in[k])) known.push_back({k, *bits});
  const Formula f = node.op->formula(node.attrs, graph.input_types(node));
  return known.empty() ? f : folded(f, known);
}

}  // namespace weft
