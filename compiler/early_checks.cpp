#include "early_checks.h"

#include <algorithm>

#include "../ops/defs/indexing.h"
#include "sparse_ops.h"

namespace weft {
namespace {

// An op in place that checks: its second operand are indices along an axis of its first.
bool is_scatter(const Graph::Node& n) { return n.op->in_place && n.op->checks; }

}  // namespace

Graph check_early(const Graph& graph, const std::vector<bool>& late) {
  const auto moves = [&](const Graph::Node& n) { return is_scatter(n) && late[n.out]; };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), moves)) return graph;
  GraphCopy copy(graph);
  return copy.rewrite([&](const Graph::Node& n) {
    if (!moves(n)) return false;
    const ValueId indices = copy(n.in[1]);
    const std::int64_t extent = graph.type(n.in[0]).shape[n.attrs.as<AxisAttrs>().axis];
    const Type type = copy.to.type(indices);
    std::vector<ValueId> in = copy.operands(n);
    in[1] = copy.to.add(scatter_indices_op(), ScatterIndicesAttrs{extent, n.op}, {&indices, 1}, {&type, 1}, n.site);
    copy.set(n.out, copy.to.add(*n.op, n.attrs, in, {&graph.type(n.out), 1}, n.site));
    return true;
  });
}

bool may_throw(const Graph& graph, const Graph::Node& n) {
  if (!has(&Op::checks, *n.op, n.attrs)) return false;
  const Graph::Node* indices = is_scatter(n) ? graph.producer(n.in[1]) : nullptr;
  return !indices || indices->op != &scatter_indices_op();
}

bool may_throw_halfway(const Graph& graph, const Graph::Node& n) { return may_throw(graph, n) && !is_scatter(n); }

}  // namespace weft
