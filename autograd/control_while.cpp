// while_loop: a graph runs as long as another says so.
#include <algorithm>
#include <bit>

#include "../ops/closure.h"
#include "../ops/define.h"
#include "../ops/indexing.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "control_ops.h"
#include "graph_gradient.h"
#include "round_runner.h"

WEFT_DEFINE_OP(weft::While);

namespace weft {

using namespace control;

namespace {

// The outputs after the carries, where there are slots.
constexpr std::size_t rounds_at = 0, stride_at = 1, kept_at = 2;

// Keeps the carries of each stride-th round in the op's outputs.
class Slots {
 public:
  Slots(const WhileAttrs& a, Views out) : slots_(a.slots), carries_(size(a.carries)), out_(out) {}

  void keep(std::int64_t round, Views carries) {
    if (round % stride_) return;
    if (round / stride_ == slots_) {
      for (std::int64_t i = 1; 2 * i < slots_; ++i)
        for (std::size_t k = 0; k < carries_; ++k) copy_elements(slot(k, 2 * i), slot(k, i));
      stride_ *= 2;
    }
    for (std::size_t k = 0; k < carries_; ++k) copy_elements(carries[k], slot(k, round / stride_));
  }
  void finish(std::int64_t rounds) {
    *out_[carries_ + rounds_at].as<std::int64_t>() = rounds;
    *out_[carries_ + stride_at].as<std::int64_t>() = stride_;
    double zero = 0;  // in the slots that are left
    for (std::size_t k = 0; k < carries_; ++k)
      for (std::int64_t i = (rounds + stride_ - 1) / stride_; i < slots_; ++i) {
        const View e = slot(k, i);
        copy_elements({f64, e.shape, Ints::filled(e.shape.size(), 0), &zero}, e);
      }
  }

 private:
  View slot(std::size_t k, std::int64_t i) const { return element(out_[carries_ + kept_at + k], i); }

  std::int64_t slots_, stride_ = 1;
  std::size_t carries_;
  Views out_;
};

// The carries before a round, computed again from those kept before the round `from`.
std::vector<Tensor> carries_before(const Tensor& round, const WhileAttrs& a, const Tensor& from,
                                   std::span<const Tensor> kept, std::span<const Tensor> constants) {
  std::vector<Tensor> operands = {from};
  operands.insert(operands.end(), kept.begin(), kept.end());
  operands.push_back(round);
  operands.insert(operands.end(), constants.begin(), constants.end());
  const std::vector<Type> types = types_of(operands);
  const std::size_t n = kept.size();
  const Closure condition =
      close_over(types, [&](std::span<const Tensor> args) { return std::vector<Tensor>{args[0] < args[n + 1]}; });
  const Closure step = close_over(types, [&](std::span<const Tensor> args) {
    std::vector<Tensor> values(args.begin() + 1, args.begin() + 1 + static_cast<std::ptrdiff_t>(n));
    values.insert(values.end(), args.begin() + 2 + static_cast<std::ptrdiff_t>(n), args.end());
    std::vector<Tensor> next = replay(*a.body, values);
    next.insert(next.begin(), args[0] + 1);
    return next;
  });
  std::vector<Tensor> found =
      apply_while({condition.self_contained(), step.self_contained(), static_cast<int>(n) + 1, -1, 0}, operands);
  found.erase(found.begin());
  return found;
}

}  // namespace

std::int64_t WhileAttrs::slots_for_gradient() const {
  if (max_iterations >= 0) return std::max<std::int64_t>(max_iterations, 1);
  std::int64_t bytes = 1;
  for (std::size_t k = 0; k < size(carries); ++k) bytes += body->type(body->inputs[k]).bytes();
  // A power of two: slots are halved.
  return static_cast<std::int64_t>(
      std::bit_floor(std::clamp<std::uint64_t>((64u << 20) / static_cast<std::uint64_t>(bytes), 4, 64)));
}

std::vector<Tensor> apply_while(const WhileAttrs& attrs, std::span<const Tensor> in) {
  const std::size_t carries = size(attrs.carries);
  return apply_several(op_of<While>(), attrs, attrs.slots ? 2 * carries + kept_at : carries, in);
}

void While::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const auto& a = attrs.as<WhileAttrs>();
  const std::size_t carries = size(a.carries);
  for (std::size_t k = 0; k < carries; ++k) {
    out[k] = *in[k];
    if (a.slots) out[carries + kept_at + k] = stacked(*in[k], a.slots);
  }
  if (a.slots) out[carries + rounds_at] = out[carries + stride_at] = {i64, {}};
}

void While::run_graphs(const Attrs& attrs, std::span<GraphRunner* const> runners, Views in, Views out) {
  const auto& a = attrs.as<WhileAttrs>();
  const std::size_t carries = size(a.carries);
  // Carries go from one buffer to another; one that may be updated in place is in the result from the beginning.
  auto* const runner = dynamic_cast<RoundRunner*>(runners[1]);
  std::vector<View> from(in.begin(), in.end()), to(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(carries));
  std::vector<Tensor> scratch(carries);
  for (std::size_t k = 0; k < carries; ++k)
    if (stays_in_place(*a.body, runner, k))
      copy_elements(in[k], from[k] = out[k]);
    else
      scratch[k] = Tensor::allocate({in[k].dtype, in[k].shape});
  bool holds = false;
  const View test{DType::boolean, {}, {}, &holds};
  Slots slots(a, out);
  std::int64_t round = 0;
  for (; a.max_iterations < 0 || round < a.max_iterations; ++round) {
    runners[0]->run(from, Views(&test, 1));
    if (!holds) break;
    if (a.slots) slots.keep(round, from);
    for (std::size_t k = 0; k < carries; ++k)
      if (scratch[k].defined()) to[k] = round % 2 ? scratch[k].view() : out[k];
    runners[1]->run(from, to);
    for (std::size_t k = 0; k < carries; ++k) from[k] = to[k];
  }
  for (std::size_t k = 0; k < carries; ++k)
    if (from[k].data != out[k].data) copy_elements(from[k], out[k]);
  if (a.slots) slots.finish(round);
}

// A loop again, from the last round to the first: (round, cotangents, sums for constants; stride, kept values,
// constants). The carries that a round had are those kept, or, between them, computed again from the last before.
void While::vjp(Backward& b) {
  const WhileAttrs a = b.attrs<WhileAttrs>();
  const std::size_t carries = size(a.carries), inputs = static_cast<std::size_t>(b.inputs());
  std::vector<Tensor> in, kept;  // the number of rounds, the stride, the carries
  for (int k = 0; k < b.inputs(); ++k) in.push_back(b.in(k));
  WhileAttrs keeping = a;
  if (a.slots) {
    for (std::size_t k = carries; k < 2 * carries + kept_at; ++k) kept.push_back(b.out(static_cast<int>(k)));
  } else {
    keeping.slots = a.slots_for_gradient();
    const std::vector<Tensor> out = apply_while(keeping, in);
    kept.assign(out.begin() + static_cast<std::ptrdiff_t>(carries), out.end());
  }
  const bool all_kept = a.max_iterations >= 0 && keeping.slots >= a.max_iterations;

  std::vector<bool> wants(inputs), kept_grad(carries);
  std::vector<Tensor> arguments = {kept[rounds_at]};
  for (std::size_t k = 0; k < inputs; ++k) {
    wants[k] = k < carries ? is_floating(in[k].dtype()) : b.wants(static_cast<int>(k));
    if (!wants[k]) continue;
    const bool has = k < carries && b.has_grad(static_cast<int>(k));
    arguments.push_back(has ? b.grad(static_cast<int>(k)) : detail::zeros_like(in[k]));
  }
  const std::size_t carried = arguments.size();
  arguments.insert(arguments.end(), kept.begin() + stride_at, kept.end());
  // The carries kept may have cotangents of their own: from a second derivative.
  for (std::size_t k = 0; a.slots && k < carries; ++k) {
    kept_grad[k] = b.has_grad(static_cast<int>(carries + kept_at + k));
    if (kept_grad[k]) arguments.push_back(b.grad(static_cast<int>(carries + kept_at + k)));
  }
  arguments.insert(arguments.end(), in.begin() + static_cast<std::ptrdiff_t>(carries), in.end());

  const std::vector<Type> types = types_of(arguments);
  const Closure condition =
      close_over(types, [&](std::span<const Tensor> args) { return std::vector<Tensor>{args[0] > 0}; });
  const Closure step = close_over(types, [&](std::span<const Tensor> args) {
    const Tensor round = args[0] - 1, &stride = args[carried];
    const auto constants = args.last(inputs - carries);
    const Tensor slot =
        all_kept ? round : cast(floor(cast(round, f64) / cast(stride, f64)), i64);  // exact: a power of 2
    const Tensor from = slot * stride;
    std::vector<Tensor> values;
    for (std::size_t k = 0; k < carries; ++k) values.push_back(gather(args[carried + 1 + k], slot));
    if (!all_kept) values = carries_before(round, a, from, values, constants);
    values.insert(values.end(), constants.begin(), constants.end());
    std::vector<Tensor> seeds;
    std::size_t next = 1, next_kept = carried + 1 + carries;
    for (std::size_t k = 0; k < carries; ++k) seeds.push_back(wants[k] ? args[next++] : Tensor());
    GraphGradient g = graph_gradient(*a.body, values, seeds, wants, Unconnected::zero);
    for (std::size_t k = 0; k < carries; ++k)
      if (kept_grad[k]) {
        const Tensor t = gather(args[next_kept++], slot);
        g.gradients[k] = g.gradients[k] + (all_kept ? t : where(equal(from, round), t, 0));
      }
    std::vector<Tensor> out = {round};
    for (std::size_t k = 0; k < inputs; ++k)
      if (wants[k]) out.push_back(k < carries ? g.gradients[k] : args[next++] + g.gradients[k]);
    return out;
  });
  WhileAttrs backward{condition.self_contained(), step.self_contained(), static_cast<int>(carried), a.max_iterations,
                      0};
  if (!active_recorders().empty()) backward.slots = backward.slots_for_gradient();
  const std::vector<Tensor> given = apply_while(backward, arguments);
  std::size_t next = 1;
  for (std::size_t k = 0; k < inputs; ++k)
    if (wants[k]) b.give(static_cast<int>(k), given[next++]);
}

}  // namespace weft
