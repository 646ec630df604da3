#include "concats.h"

#include <algorithm>

#include "../ops/defs/shape.h"
#include "steps.h"

namespace weft {

std::vector<bool> join_in_place(const Graph& graph, const Grouping& grouping, Places& places) {
  std::vector<int> uses(graph.values.size());  // of each buffer, by nodes that run and as an output
  const auto base = [&](ValueId v) { return grouping.accesses[v].base; };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (const ValueId v : graph.nodes[i].in) uses[base(v)] += grouping.group_of[i] >= 0;
  for (const ValueId v : graph.outputs) ++uses[base(v)];

  // A loop that computes the part and reduces nothing: it can walk the part's rows wherever they lie, if the elements
  // of a row stay together.
  const auto movable = [&](ValueId v, const Ints& strides) {
    const Graph::Node* n = graph.producer(base(v));
    if (!n || uses[base(v)] != 1 || graph.type(base(v)).shape != graph.type(v).shape) return false;
    const Access part = squeezed({n->out, 0, graph.type(v).shape, strides});
    if (!is_whole(grouping.accesses[v], graph.type(base(v))) || (!part.strides.empty() && part.strides.back() != 1))
      return false;
    const std::size_t i = graph.values[base(v)].index;
    const Group& group = grouping.groups[static_cast<std::size_t>(grouping.group_of[i])];
    return group.fused && group.split < 0 && grouping.roles[i] == Role::full;
  };
  std::vector<bool> joined(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Graph::Node& n = graph.nodes[i];
    const Ints strides = contiguous_strides(graph.type(n.out).shape);
    if (n.op != &op_of<Concat>() ||
        !std::all_of(n.in.begin(), n.in.end(), [&](ValueId v) { return movable(v, strides); }))
      continue;
    const int axis = n.attrs.as<ConcatAttrs>().axis;
    std::int64_t at = 0;
    for (const ValueId v : n.in) {
      places[base(v)] = Access{n.out, at * strides[axis], graph.type(v).shape, strides};
      at += graph.type(v).shape[axis];
    }
    joined[i] = true;
  }
  return joined;
}

}  // namespace weft
