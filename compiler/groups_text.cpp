// Groups as text, and why they are not fewer.
#include <fmt/format.h>

#include "groups.h"

namespace weft {
namespace {

std::string reason(const Graph& graph, const Grouping& grouping, const Separations::Pair& pair,
                   const std::map<std::uint32_t, std::string>& products) {
  const Obstacle& o = pair.obstacle;
  const Group &x = grouping.groups[static_cast<std::size_t>(pair.producer)],
              &y = grouping.groups[static_cast<std::size_t>(pair.reader)];
  switch (o.kind) {
    case Obstacle::whole: {
      const Graph::Node& n = graph.nodes[o.node];
      if (const auto it = products.find(o.node); it != products.end() && y.fused)
        return fmt::format("%{} = {} {}", n.out, n.op->name, it->second);
      const bool empty = count(graph.type(n.out).shape) == 0;
      const bool kernel = n.op->kind == OpKind::kernel || n.op->kind == OpKind::view;
      return fmt::format("%{} = {} runs as a whole: {}", n.out, n.op->name,
                         kernel  ? "its kernel is no loop of ours"
                         : empty ? "it has no elements"
                                 : "its axes can't be walked with one stride, or are none of the first and the last");
    }
    case Obstacle::space: return fmt::format("their loops differ: {} and {}", x.space.text(), y.space.text());
    case Obstacle::size:
      return fmt::format("together they have {} nodes and {} instructions; a kernel has at most {} and {}",
                         x.nodes.size() + y.nodes.size(), x.instructions + y.instructions, Group::max_nodes,
                         Group::max_instructions);
    case Obstacle::rows:
      return fmt::format("they cut {} otherwise: rows of {} and of {}", x.space.text(), x.columns().text(),
                         y.columns().text());
    case Obstacle::between: return "another group has to run between them";
    case Obstacle::operand: {
      const Graph::Node& n = graph.nodes[o.node];
      const Graph::Value& base = graph.values[grouping.accesses[o.value].base];
      const int from = base.kind == Graph::Value::computed ? grouping.group_of[base.index] : -1;
      const bool column = (from == pair.producer || from == pair.reader) && grouping.roles[base.index] == Role::column;
      return fmt::format("%{} = {} reads %{}{}", n.out, n.op->name, o.value,
                         column ? ", a reduction down the columns: known when all rows are done"
                                : ", which lies otherwise than the loop runs");
    }
    case Obstacle::none: break;
  }
  return "nothing but the order in which nodes were placed";
}

}  // namespace

std::string Grouping::text(const Graph& graph) const {
  std::string s;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    if (!group.fused)
      s += fmt::format("group {}:", g);
    else if (group.split < 0)
      s += fmt::format("group {}: loop over {}", g, group.space.text());
    else
      s += fmt::format("group {}: {} rows of {}", g, group.rows().text(), group.columns().text());
    s += "\n";
    for (const std::uint32_t i : group.nodes) {
      constexpr const char* names[] = {"", "", "  row", "  column"};
      s += fmt::format("  %{} = {} {}{}\n", graph.nodes[i].out, graph.nodes[i].op->name,
                       graph.type(graph.nodes[i].out).text(), names[static_cast<int>(roles[i])]);
    }
    for (const std::uint32_t i : group.again)
      s += fmt::format("  %{} = {} again\n", graph.nodes[i].out, graph.nodes[i].op->name);
  }
  return s;
}

std::string explain_groups(const Graph& graph, const std::vector<bool>& late,
                           const std::map<std::uint32_t, std::string>& products) {
  const auto [grouping, pairs] = separate_groups(graph, late);
  std::string s;
  for (const Separations::Pair& pair : pairs)
    s += fmt::format("groups {} and {}: {}\n", pair.producer, pair.reader, reason(graph, grouping, pair, products));
  return s;
}

}  // namespace weft
