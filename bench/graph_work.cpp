#include "graph_work.h"

#include <vector>

namespace bench {
namespace {

using namespace weft;

void add(OpWork& sum, const OpWork& one) {
  // All there are: another class of arithmetic would not compile here.
  auto& [operations, products, divisions, halves] = static_cast<Arithmetic&>(sum);
  const auto& [more_operations, more_products, more_divisions, more_halves] = static_cast<const Arithmetic&>(one);
  operations += more_operations, products += more_products, divisions += more_divisions, halves += more_halves;
  sum.flops += one.flops;
}

}  // namespace

std::optional<OpWork> work_of(const Graph& graph) {
  OpWork sum;
  for (const Graph::Node& node : graph.nodes) {
    if (node.op->kind == OpKind::kernel && !node.op->work) return std::nullopt;
    std::vector<const Type*> in, out;
    for (const ValueId v : node.in) in.push_back(&graph.type(v));
    for (int k = 0; k < node.outputs; ++k) out.push_back(&graph.type(node.out + static_cast<ValueId>(k)));
    add(sum, weft::work_of(*node.op, node.attrs, in, out));
  }
  return sum;
}

}  // namespace bench
