// Control flow in forward mode: values and tangents go through one loop, or one branch, together.
#include <algorithm>

#include "../ops/closure.h"
#include "../ops/forward.h"
#include "../ops/math.h"
#include "../ops/recorder.h"
#include "control_ops.h"
#include "graph_gradient.h"
#include "round_values.h"

namespace weft {
namespace {

using namespace control;
using Tensors = std::vector<Tensor>;

// The operands of a loop over values and tangents: in each group of operands first all values, then those tangents that
// there are.
class Dual {
 public:
  /// `ends`: where the groups end.
  Dual(const std::vector<bool>& moves, std::initializer_list<std::size_t> ends) : moves_(moves) {
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      for (std::size_t k = begin; k < end; ++k) places_.push_back({k, false});
      for (std::size_t k = begin; k < end; ++k)
        if (moves[k]) places_.push_back({k, true});
      begin = end;
    }
  }
  Tensors operands(Forward& f) const {
    Tensors list;
    for (const Place& p : places_) {
      const int k = static_cast<int>(p.operand);
      list.push_back(p.tangent ? f.tangent(k) : f.in(k));
    }
    return list;
  }
  std::vector<Type> types(const Graph& body) const {
    std::vector<Type> list;
    for (const Place& p : places_) list.push_back(body.type(body.inputs[p.operand]));
    return list;
  }
  struct Parts {
    Tensors values, tangents;
  };
  Parts split(std::span<const Tensor> operands) const {
    Parts parts{Tensors(moves_.size()), Tensors(moves_.size())};
    for (std::size_t i = 0; i < places_.size(); ++i)
      (places_[i].tangent ? parts.tangents : parts.values)[places_[i].operand] = operands[i];
    return parts;
  }

 private:
  struct Place {
    std::size_t operand;
    bool tangent;
  };
  std::vector<bool> moves_;
  std::vector<Place> places_;
};

std::vector<bool> inputs_with_tangents(const Forward& f) {
  std::vector<bool> moves;
  for (int k = 0; k < f.inputs(); ++k) moves.push_back(f.has_tangent(k));
  return moves;
}

// The next carries and tangents: (values, those tangents that move). A carry that moves only from this round on is
// noted in `moves`.
Tensors next_carries(const GraphTangents& next, std::size_t carries, std::vector<bool>& moves) {
  Tensors list(next.outputs.begin(), next.outputs.begin() + static_cast<std::ptrdiff_t>(carries));
  for (std::size_t k = 0; k < carries; ++k) {
    const Tensor& t = next.tangents[k];
    if (moves[k]) list.push_back(t.defined() ? t : detail::zeros_like(next.outputs[k]));
    if (t.defined()) moves[k] = true;
  }
  return list;
}

}  // namespace

void Cond::jvp(Forward& f) {
  const auto& a = f.attrs<CondAttrs>();
  std::vector<bool> moves = inputs_with_tangents(f);
  moves.erase(moves.begin());
  Tensors operands;
  for (int k = 1; k < f.inputs(); ++k) operands.push_back(f.in(k));
  for (int k = 1; k < f.inputs(); ++k)
    if (f.has_tangent(k)) operands.push_back(f.tangent(k));
  const auto tangents_of = [&](const Body& branch) {
    return close_over(
               types_of(operands),
               [&](std::span<const Tensor> args) {
                 Tensors tangents;
                 std::size_t next = moves.size();
                 for (const bool has : moves) tangents.push_back(has ? args[next++] : Tensor());
                 const GraphTangents y = graph_tangents(*branch, args.first(moves.size()), tangents);
                 Tensors results;
                 for (std::size_t k = 0; k < y.outputs.size(); ++k)
                   if (is_floating(y.outputs[k].dtype()))
                     results.push_back(y.tangents[k].defined() ? y.tangents[k] : detail::zeros_like(y.outputs[k]));
                 return results;
               })
        .self_contained();
  };
  const CondAttrs forward{tangents_of(a.then), tangents_of(a.otherwise)};
  operands.insert(operands.begin(), f.in(0));
  const Tensors given = apply_cond(forward, operands);
  std::size_t next = 0;
  for (int k = 0; k < f.outputs(); ++k)
    if (is_floating(f.out(k).dtype())) f.give(k, given[next++]);
}

void Scan::jvp(Forward& f) {
  ScanAttrs a = f.attrs<ScanAttrs>();
  const std::size_t carries = size(a.carries), xs = size(a.xs), results = a.body->outputs.size();
  std::vector<bool> moves = inputs_with_tangents(f), y_moves(results);
  std::vector<bool> before;
  Body body;
  while (before != moves) {  // until no further carry gets a tangent
    before = moves;
    const Dual dual(moves, {carries, carries + xs, moves.size()});
    body = close_over(dual.types(*a.body), [&](std::span<const Tensor> args) {
             const Dual::Parts in = dual.split(args);
             const GraphTangents next = graph_tangents(*a.body, in.values, in.tangents);
             Tensors list = next_carries(next, carries, moves);
             for (std::size_t k = carries; k < results; ++k) {
               y_moves[k] = next.tangents[k].defined();
               if (y_moves[k]) list.push_back(next.tangents[k]);
             }
             return list;
           }).self_contained();
  }
  const bool kept = a.keep;
  const Dual dual(moves, {carries, carries + xs, moves.size()});
  const auto moving = [&](std::size_t from, std::size_t to) {
    return static_cast<int>(std::count(moves.begin() + static_cast<std::ptrdiff_t>(from),
                                       moves.begin() + static_cast<std::ptrdiff_t>(to), true));
  };
  a.body = body;
  a.xs += moving(carries, carries + xs);
  a.carries += moving(0, carries);
  a.keep = false;
  if (kept || !active_recorders().empty()) a = keeping_values(a);
  const Tensors y = apply_scan(a, dual.operands(f));
  std::size_t carry = carries, element = size(a.carries);
  for (std::size_t k = 0; k < results; ++k)
    if (k < carries ? moves[k] : y_moves[k]) f.give(static_cast<int>(k), y[k < carries ? carry++ : element++]);
  carry = a.body->outputs.size() + carries;
  for (std::size_t k = 0; kept && k < carries; ++k)
    if (moves[k]) f.give(static_cast<int>(results + k), y[carry++]);
}

void While::jvp(Forward& f) {
  WhileAttrs a = f.attrs<WhileAttrs>();
  const std::size_t carries = size(a.carries);
  std::vector<bool> moves = inputs_with_tangents(f), before;
  Body condition, body;
  while (before != moves) {
    before = moves;
    const Dual dual(moves, {carries, moves.size()});
    const std::vector<Type> types = dual.types(*a.body);
    condition = close_over(types, [&](std::span<const Tensor> args) {
                  return replay(*a.condition, dual.split(args).values);
                }).self_contained();
    body = close_over(types, [&](std::span<const Tensor> args) {
             const Dual::Parts in = dual.split(args);
             return next_carries(graph_tangents(*a.body, in.values, in.tangents), carries, moves);
           }).self_contained();
  }
  const bool kept = a.slots;
  if (!kept && !active_recorders().empty()) a.slots = a.slots_for_gradient();
  const auto moving = std::count(moves.begin(), moves.begin() + a.carries, true);
  const Dual dual(moves, {carries, moves.size()});
  const Tensors y =
      apply_while({condition, body, a.carries + static_cast<int>(moving), a.max_iterations, a.slots}, dual.operands(f));
  std::size_t at = carries, kept_at = carries + size(static_cast<int>(moving)) + 2 + carries;
  for (std::size_t k = 0; k < carries; ++k) {
    if (!moves[k]) continue;
    f.give(static_cast<int>(k), y[at++]);
    if (kept) f.give(static_cast<int>(carries + 2 + k), y[kept_at++]);
  }
}

}  // namespace weft
