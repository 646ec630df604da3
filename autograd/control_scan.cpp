// scan: a graph runs once for each element of what it goes along.
#include <algorithm>

#include "../ops/closure.h"
#include "../ops/define.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "control_ops.h"
#include "graph_gradient.h"
#include "round_invariants.h"
#include "round_runner.h"
#include "round_sums.h"
#include "round_values.h"

WEFT_DEFINE_OP(weft::Scan);

namespace weft {

using namespace control;

std::vector<Tensor> apply_scan(const ScanAttrs& attrs, std::span<const Tensor> in) {
  return apply_several(op_of<Scan>(), attrs, attrs.body->outputs.size() + (attrs.keep ? size(attrs.carries) : 0), in);
}

std::vector<Tensor> run_scan(const ScanAttrs& attrs, std::span<const Tensor> in) {
  const Loop loop = without_invariants(attrs, in);
  return apply_scan(active_recorders().empty() ? loop.attrs : keeping_values(loop.attrs), loop.in);
}

void Scan::infer(const Attrs& attrs, Types, std::span<Type> out) {
  const auto& a = attrs.as<ScanAttrs>();
  const std::size_t carries = size(a.carries), results = a.body->outputs.size();
  for (std::size_t k = 0; k < results; ++k) {
    const Type& t = a.body->type(a.body->outputs[k]);
    out[k] = k < carries ? t : stacked(t, a.length);
  }
  for (std::size_t k = results; k < out.size(); ++k)
    out[k] = stacked(a.body->type(a.body->outputs[k - results]), a.length);
}

void Scan::run_graphs(const Attrs& attrs, std::span<GraphRunner* const> runners, Views in, Views out) {
  const auto& a = attrs.as<ScanAttrs>();
  const std::size_t carries = size(a.carries), xs = size(a.xs), results = a.body->outputs.size();
  if (a.length == 0) {
    for (std::size_t k = 0; k < carries; ++k) copy_elements(in[k], out[k]);
    return;
  }
  // Carries go from one buffer to another, or, where they are kept, along those outputs; the last into the result. One
  // that may be updated in place is in the result from the beginning.
  auto* const runner = dynamic_cast<RoundRunner*>(runners[0]);
  std::vector<bool> in_place(carries);
  for (std::size_t k = 0; !a.keep && k < carries; ++k) in_place[k] = stays_in_place(*a.body, runner, k);
  std::vector<Tensor> scratch(2 * carries);
  for (std::size_t k = 0; !a.keep && k < 2 * carries; ++k)
    if (!in_place[k % carries]) scratch[k] = Tensor::allocate({in[k % carries].dtype, in[k % carries].shape});
  const auto place = [&](std::int64_t round) { return a.reverse ? a.length - 1 - round : round; };
  const auto carry_before = [&](std::int64_t round, std::size_t k) {
    if (a.keep) return element(out[results + k], place(round));
    if (in_place[k]) return out[k];
    return round == 0 && in[k].contiguous() ? in[k] : scratch[size(static_cast<int>(round % 2)) * carries + k].view();
  };
  for (std::size_t k = 0; k < carries; ++k)
    if (a.keep || in_place[k] || !in[k].contiguous()) copy_elements(in[k], carry_before(0, k));
  const auto operands = [&](std::int64_t round, std::span<View> from, std::span<View> to) {
    for (std::size_t k = 0; k < carries; ++k) {
      from[k] = carry_before(round, k);
      to[k] = round + 1 < a.length ? carry_before(round + 1, k) : out[k];
    }
    for (std::size_t k = carries; k < carries + xs; ++k) from[k] = element(in[k], place(round));
    for (std::size_t k = carries; k < results; ++k) to[k] = element(out[k], place(round));
  };
  if (runner && runner->run_rounds(a.length, carries + xs, in, operands)) return;
  std::vector<View> from(in.begin(), in.end()), to(results);
  for (std::int64_t round = 0; round < a.length; ++round) {
    operands(round, from, to);
    runners[0]->run(from, to);
  }
}

// Backwards through the rounds: the carries' cotangents go along, the constants' are summed (RoundSums). What was kept
// of a round is taken from there, the rest computed again.
void Scan::vjp(Backward& b) {
  ScanAttrs a = b.attrs<ScanAttrs>();
  const bool kept = a.keep;
  if (!kept) a = keeping_values(a);
  const std::size_t carries = size(a.carries), xs = size(a.xs), results = a.body->outputs.size();
  const std::size_t inputs = static_cast<std::size_t>(b.inputs());
  std::vector<Tensor> in, out;
  for (int k = 0; k < b.inputs(); ++k) in.push_back(b.in(k));
  if (kept)
    for (int k = 0; k < b.outputs(); ++k) out.push_back(b.out(k));
  else
    out = apply_scan(a, in);
  const auto has_cotangent = [&](std::size_t k) {
    return k < static_cast<std::size_t>(b.outputs()) && b.has_grad(static_cast<int>(k));
  };

  std::vector<bool> wants(inputs);
  std::vector<Tensor> carried, elements;  // of the backward scan
  for (std::size_t k = 0; k < carries; ++k) {
    wants[k] = is_floating(in[k].dtype());
    if (wants[k])
      carried.push_back(b.has_grad(static_cast<int>(k)) ? b.grad(static_cast<int>(k)) : detail::zeros_like(in[k]));
  }
  for (std::size_t k = carries; k < inputs; ++k) wants[k] = b.wants(static_cast<int>(k));
  elements.assign(out.end() - static_cast<std::ptrdiff_t>(carries), out.end());  // the carries before each round
  elements.insert(elements.end(), in.begin() + static_cast<std::ptrdiff_t>(carries),
                  in.begin() + static_cast<std::ptrdiff_t>(carries + xs));
  std::vector<bool> has_grad(results), kept_grad(carries);
  for (std::size_t k = 0; k < results; ++k) {
    has_grad[k] = k < carries ? wants[k] : has_cotangent(k);
    if (k >= carries && has_grad[k]) elements.push_back(b.grad(static_cast<int>(k)));
  }
  // The carries kept may have cotangents of their own: from a second derivative.
  for (std::size_t k = 0; kept && k < carries; ++k) {
    kept_grad[k] = has_cotangent(results + k);
    if (kept_grad[k]) elements.push_back(b.grad(static_cast<int>(results + k)));
  }
  const std::size_t known = elements.size();
  const auto ys_of = [&](const std::vector<Tensor>& all) { return std::span(all).subspan(carries, results - carries); };
  elements.insert(elements.end(), ys_of(out).begin(), ys_of(out).end());
  const auto constants = std::span(in).subspan(carries + xs);

  std::vector<Type> types = types_of(carried);
  for (const Tensor& t : elements) types.push_back(t.type()), types.back().shape.erase(0);
  for (const Tensor& t : constants) types.push_back(t.type());
  const Closure step = close_over(types, [&](std::span<const Tensor> args) {
    const auto x = args.subspan(carried.size(), elements.size());
    std::vector<Tensor> values(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(carries + xs));
    values.insert(values.end(), args.end() - std::ssize(constants), args.end());
    std::vector<Tensor> seeds;
    std::size_t next_carry = 0, next_y = carries + xs;
    for (std::size_t k = 0; k < results; ++k)
      seeds.push_back(!has_grad[k] ? Tensor() : k < carries ? args[next_carry++] : x[next_y++]);
    GraphGradient g = graph_gradient(*a.body, values, seeds, wants, Unconnected::zero);
    for (std::size_t k = 0; k < carries; ++k)
      if (kept_grad[k]) g.gradients[k] = g.gradients[k] + x[next_y++];
    std::vector<Tensor> list;
    for (std::size_t k = 0; k < inputs; ++k)
      if (wants[k]) list.push_back(g.gradients[k]);
    list.insert(list.end(), ys_of(g.outputs).begin(), ys_of(g.outputs).end());
    return list;
  });
  std::vector<bool> used(results - carries);
  const Body gradient = with_known_values(*step.self_contained(), carried.size() + known, used);
  std::size_t y = 0;
  elements.erase(std::remove_if(elements.begin() + static_cast<std::ptrdiff_t>(known), elements.end(),
                                [&](const Tensor&) { return !used[y++]; }),
                 elements.end());
  const auto gifts = std::count(wants.begin() + static_cast<std::ptrdiff_t>(carries + xs), wants.end(), true);
  const RoundSums round(*gradient, carried.size(), elements.size(), static_cast<std::size_t>(gifts));
  std::vector<Tensor> arguments = carried;
  for (const Type& t : round.sums()) arguments.push_back(broadcast_to(Arg(0).tensor(t.dtype), t.shape));
  std::size_t ys = arguments.size();  // where they begin in what the loop gives
  arguments.insert(arguments.end(), elements.begin(), elements.end());
  arguments.insert(arguments.end(), constants.begin(), constants.end());
  const std::vector<Tensor> given = run_scan(
      {round.body(), static_cast<int>(ys), static_cast<int>(elements.size()), a.length, !a.reverse, false}, arguments);
  const std::vector<Tensor> totals = round.totals(elements, given);
  std::size_t carry = 0, total = 0;
  for (std::size_t k = 0; k < inputs; ++k)
    if (wants[k])
      b.give(static_cast<int>(k), k < carries ? given[carry++] : k < carries + xs ? given[ys++] : totals[total++]);
}

}  // namespace weft
