#include "packing.h"

#include <optional>

#include "../ops/conv_packed.h"
#include "kept.h"

namespace weft {

Graph pack_weights(const Graph& graph, std::size_t args, std::span<const std::size_t> written) {
  const std::vector<MadeOf> of = find_made_of(graph, args, written);
  GraphCopy copy(graph);
  bool any = false;
  Graph packed = copy.rewrite([&](const Graph::Node& n) {
    if (n.in.size() != 2 || (of[n.in[1]] != MadeOf::variables && of[n.in[1]] != MadeOf::constants)) return false;
    const std::optional<PackedConv> by = packed_conv(*n.op, n.attrs, graph.input_types(n), graph.type(n.out));
    if (!by) return false;
    any = true;
    const ValueId x = copy(n.in[0]), weight = copy(n.in[1]);
    const ValueId in[] = {x, copy.to.add(*by->pack, by->attrs, {&weight, 1}, {&by->packed, 1}, n.site)};
    copy.set(n.out, copy.to.add(*by->conv, by->attrs, in, {&graph.type(n.out), 1}, n.site));
    return true;
  });
  return any ? std::move(packed) : graph;
}

}  // namespace weft
