#include "round_values.h"

#include <algorithm>
#include <numeric>

#include "../ops/work.h"

namespace weft {
namespace {

// From so many flops an element on, computing costs more than a write and a read of it: a transcendental function, a
// reduction, a product.
constexpr double least_flops = 8;

bool is_costly(const Graph& g, const Graph::Node& n) {
  if (n.op->kind == OpKind::view || n.op->forwards) return false;
  if (n.op->inlined)
    for (const auto& part : n.op->graphs(n.attrs))
      return std::any_of(part->nodes.begin(), part->nodes.end(),
                         [&](const Graph::Node& m) { return is_costly(*part, m); });
  if (n.op->kind == OpKind::kernel) return true;
  const Type& out = g.type(n.out);
  const Type* const outs[] = {&out};
  return work_of(*n.op, n.attrs, g.input_types(n), outs).flops >= least_flops * static_cast<double>(count(out.shape));
}

// The values to keep beside carries, elements (together the first `given` inputs) and ys.
std::vector<ValueId> values_to_keep(const Graph& body, std::size_t given, std::size_t carries) {
  std::vector<bool> moves(body.values.size()), needed(body.values.size()), kept(body.values.size());
  for (std::size_t k = 0; k < given; ++k) moves[body.inputs[k]] = kept[body.inputs[k]] = true;
  for (std::size_t k = carries; k < body.outputs.size(); ++k) kept[body.outputs[k]] = true;
  for (const Graph::Node& n : body.nodes) {
    const bool any = std::any_of(n.in.begin(), n.in.end(), [&](ValueId v) { return moves[v]; });
    for (const ValueId v : n.values()) {
      moves[v] = any;
      if (any && (n.op->reads & reads::out(v - n.out))) needed[v] = true;
    }
    for (std::size_t k = 0; any && k < n.in.size(); ++k)
      if (n.op->reads & reads::in(k)) needed[n.in[k]] = true;
  }
  std::vector<ValueId> list;
  for (auto n = body.nodes.rbegin(); n != body.nodes.rend(); ++n) {
    std::vector<ValueId> wanted;
    for (const ValueId v : n->values())
      if (needed[v] && moves[v] && !kept[v]) wanted.push_back(v);
    if (wanted.empty()) continue;
    if (is_costly(body, *n))
      list.insert(list.end(), wanted.begin(), wanted.end());
    else
      for (const ValueId v : n->in) needed[v] = true;
  }
  return list;
}

}  // namespace

ScanAttrs keeping_values(ScanAttrs attrs) {
  attrs.keep = true;
  const std::size_t carries = control::size(attrs.carries), xs = control::size(attrs.xs);
  const std::vector<ValueId> values = values_to_keep(*attrs.body, carries + xs, carries);
  if (values.empty()) return attrs;
  Graph body = *attrs.body;
  body.outputs.insert(body.outputs.end(), values.begin(), values.end());
  attrs.body = std::make_shared<const Graph>(std::move(body));
  return attrs;
}

Body with_known_values(const Graph& round, std::size_t first, std::vector<bool>& used) {
  const std::size_t outputs = round.outputs.size() - used.size();
  std::vector<ValueId> from(round.values.size());  // by value that is known: the input; else itself
  std::iota(from.begin(), from.end(), 0);
  for (std::size_t k = 0; k < used.size(); ++k)
    if (const ValueId v = round.outputs[outputs + k]; round.producer(v)) from[v] = round.inputs[first + k];
  GraphCopy copy(round);
  copy.inputs();
  for (const Graph::Node& n : round.nodes) {
    copy.node(n);
    for (const ValueId v : n.values()) copy.set(v, copy(from[v]));
  }
  const Graph known = copy.returning(std::span(round.outputs).first(outputs));

  std::vector<bool> goes(round.inputs.size());
  std::fill_n(goes.begin() + static_cast<std::ptrdiff_t>(first), used.size(), true);
  Body body = control::without_unread_inputs(without_dead_nodes(known), goes);
  for (std::size_t k = 0; k < used.size(); ++k) used[k] = !goes[first + k];
  return body;
}

}  // namespace weft
