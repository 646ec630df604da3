#include "graph_work.h"

#include <vector>

namespace bench {

using namespace weft;

std::optional<OpWork> work_of(const Graph& graph) {
  OpWork sum;
  for (const Graph::Node& node : graph.nodes) {
    if (node.op->inlined) {  // it stands for the nodes of its graph
      for (const auto& inner : node.op->graphs(node.attrs)) {
        const std::optional<OpWork> work = work_of(*inner);
        if (!work) return std::nullopt;
        sum += *work;
        sum.flops += work->flops;
      }
      continue;
    }
    if (node.op->kind == OpKind::kernel && !node.op->work) return std::nullopt;
    std::vector<const Type*> out;
    for (const ValueId v : node.values()) out.push_back(&graph.type(v));
    const OpWork one = weft::work_of(*node.op, node.attrs, graph.input_types(node), out);
    sum += one;
    sum.flops += one.flops;
  }
  return sum;
}

}  // namespace bench
