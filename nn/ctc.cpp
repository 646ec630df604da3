#include "ctc.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>

#include "../autograd/control_flow.h"
#include "../ops/compose.h"
#include "../ops/composition.h"
#include "../ops/indexing.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../tensor/create.h"
#include "precision.h"

namespace weft::nn {
namespace {

void check_integers(const char* what, const Tensor& t, const Shape& shape) {
  if (t.dtype() != i32 && t.dtype() != i64)
    throw DTypeError(fmt::format("{} are {}, not i32 or i64", what, name_of(t.dtype())));
  if (t.shape() != shape)
    throw ShapeError(fmt::format("{} have shape {}, not {}", what, t.shape().text(), shape.text()));
}

// Those of [low, n), as i64. A compiled function checks them when it runs.
Tensor within(const char* error, const Tensor& numbers, std::int64_t n) {
  try {
    return cast(check_indices(numbers, n), i64);
  } catch (const IndexError& e) { throw IndexError(fmt::format("{}: {}", error, e.rule())); }
}

// Every second one from `first`, every second from `second` [n, s], and a last one of `first`: [n, 2 s + 1].
Tensor interleaved(double first, const Tensor& second) {
  const std::int64_t n = second.shape()[0], s = second.shape()[1];
  const auto all = [&](const Shape& shape) { return full(shape, first, second.dtype()); };
  return concat({reshape(stack({all({n, s}), second}, 2), {n, 2 * s}), all({n, 1})}, 1);
}

// Element i is x[i - by], -inf before the first, along axis 1.
Tensor moved(const Tensor& x, std::int64_t by) {
  const std::int64_t n = x.shape()[1];
  return slice_axis(pad(x, {0, by}, {0, 0}, -INFINITY), 1, 0, n);
}

// log of the probability of the labels y [n, s] (of which `lengths` count), of x [steps, n, classes].
Tensor log_probability(const Tensor& x, const Tensor& y, const Tensor& lengths, const Tensor& steps,
                       std::int64_t blank) {
  const std::int64_t n = y.shape()[0], s = y.shape()[1];
  // States: blank, label 0, blank, label 1, ..., blank. A label may follow another one with no blank between.
  const Tensor states = interleaved(static_cast<double>(blank), y);
  const Tensor before = slice_axis(concat({full({n, 1}, static_cast<double>(blank), i64), y}, 1), 1, 0, s);
  const Tensor skips = interleaved(0, not_equal(y, before));
  const Tensor emitted = take_along_axis(x, expand(states, 0), 2);
  const Tensor counts = expand(expand(arange(x.shape()[0]), -1) < steps, -1);
  // Nothing spelt yet, as if in the first blank. -inf stays -inf, and logaddexp's gradient there is finite.
  const Tensor start = concat({zeros({n, 1}, x.dtype()), full({n, 2 * s}, -INFINITY, x.dtype())}, 1);
  const auto [reached, none] = scan(
      [&](const Tensor& a, const std::pair<Tensor, Tensor>& step) {
        const Tensor jumped = where(skips, moved(a, 2), -INFINITY);
        const Tensor next = logaddexp(logaddexp(a, moved(a, 1)), jumped) + step.first;
        return std::pair(where(step.second, next, a), std::tuple<>());
      },
      start, std::pair(emitted, counts));
  const auto at = [&](const Tensor& state) { return squeeze(take_along_axis(reached, expand(state, -1), 1), -1); };
  const Tensor in_label = where(lengths > 0, at(maximum(lengths * 2 - 1, 0)), -INFINITY);
  return logaddexp(at(lengths * 2), in_label);
}

}  // namespace

Tensor ctc_loss(const Arg& labels, const Arg& log_probs, const Arg& label_lengths, const Arg& input_lengths,
                const CtcOptions& o) {
  return detail::composed(
      "ctc_loss",
      {{"labels         ", labels},
       {"log_probs      ", log_probs},
       {"label_lengths  ", label_lengths},
       {"input_lengths  ", input_lengths}},
      [&] {
        const Tensor x = widen(log_probs), y = labels.tensor(i64);
        if (!is_floating(x.dtype())) throw DTypeError(fmt::format("log_probs are {}, not floats", name_of(x.dtype())));
        if (x.rank() != 3 || x.shape()[2] < 2)
          throw ShapeError(fmt::format("log_probs are [T, N, classes], at least 2 of these, not {}", x.shape().text()));
        if (y.rank() != 2) throw ShapeError(fmt::format("labels are [N, S], not {}", y.shape().text()));
        const std::int64_t n = x.shape()[1], classes = x.shape()[2], s = y.shape()[1];
        check_integers("labels", y, {n, s});
        const Tensor given = label_lengths.tensor(i64), given_steps = input_lengths.tensor(i64);
        check_integers("label_lengths", given, {n});
        check_integers("input_lengths", given_steps, {n});
        if (o.blank < 0 || o.blank >= classes)
          throw ArgumentError(fmt::format("the blank, {}, is none of {} classes", o.blank, classes));
        const Tensor lengths = within("a label length", given, s + 1);
        const Tensor steps = within("an input length", given_steps, x.shape()[0] + 1);
        // What lies beyond its length becomes some label; a blank among the labels no class.
        const Tensor counts = arange(s) < expand(lengths, -1);
        const Tensor in_use = where(counts, cast(y, i64), o.blank == 0 ? 1 : 0);
        const Tensor checked = within("a label is no class, or the blank, which is shown as -1",
                                      where(equal(in_use, static_cast<double>(o.blank)), -1, in_use), classes);
        const Tensor p = log_probability(cast(x, compute_type(x.dtype())), checked, lengths, steps, o.blank);
        const Tensor never = equal(p, -INFINITY);
        Tensor loss = where(never, o.zero_infinity ? 0 : INFINITY, -p);
        if (o.reduction == CtcReduction::sum) loss = sum(loss);
        if (o.reduction == CtcReduction::mean) loss = mean(loss / cast(maximum(lengths, 1), loss.dtype()));
        return cast(loss, x.dtype());
      });
}

}  // namespace weft::nn
