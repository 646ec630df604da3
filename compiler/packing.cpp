#include "packing.h"

#include <optional>

#include "../ops/conv_packed.h"
#include "kept.h"

namespace weft {

Graph pack_weights(const Graph& graph, std::size_t args, std::span<const std::size_t> written) {
  const std::vector<MadeOf> of = find_made_of(graph, args, written);
  GraphCopy copy(graph);
  bool any = false;
  for (const ValueId v : graph.inputs) copy.input(v);
  for (const Graph::Node& n : graph.nodes) {
    std::optional<PackedConv> packed;
    if (n.in.size() == 2 && (of[n.in[1]] == MadeOf::variables || of[n.in[1]] == MadeOf::constants)) {
      const Type* const in[] = {&graph.type(n.in[0]), &graph.type(n.in[1])};
      packed = packed_conv(*n.op, n.attrs, in, graph.type(n.out));
    }
    if (!packed) {
      copy.node(n);
      continue;
    }
    any = true;
    const ValueId x = copy(n.in[0]), weight = copy(n.in[1]);
    const ValueId in[] = {x, copy.to.add(*packed->pack, packed->attrs, {&weight, 1}, {&packed->packed, 1}, n.site)};
    copy.set(n.out, copy.to.add(*packed->conv, packed->attrs, in, {&graph.type(n.out), 1}, n.site));
  }
  for (const ValueId v : graph.outputs) copy.to.outputs.push_back(copy(v));
  return any ? std::move(copy.to) : graph;
}

}  // namespace weft
