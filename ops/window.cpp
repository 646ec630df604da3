#include <fmt/format.h>

#include <algorithm>

#include "../tensor/error.h"
#include "defs/window.h"
#include "manipulate.h"

namespace weft {
namespace {

[[noreturn]] void overflow() { throw ArgumentError("the extents overflow 63 bits"); }

std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t r;
  if (__builtin_mul_overflow(a, b, &r)) overflow();
  return r;
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t r;
  if (__builtin_add_overflow(a, b, &r)) overflow();
  return r;
}

void at_least(std::int64_t least, const Ints& numbers, std::string_view what) {
  for (const std::int64_t n : numbers)
    if (n < least)
      throw ArgumentError(fmt::format("{} {} {}", what, numbers.text(), least ? "is below 1" : "is negative"));
}

// What a window covers from its first element to its last, by axis.
Ints reach(const Ints& window, const Ints& dilation) {
  Ints r;
  for (int i = 0; i < window.size(); ++i) r.push_back(sum(product(window[i] - 1, dilation[i]), 1));
  return r;
}

}  // namespace

Ints PerAxis::of(int axes, std::string_view what) const {
  if (numbers_.size() == axes) return numbers_;
  if (numbers_.size() != 1)
    throw ArgumentError(fmt::format("{} has {} numbers for {} axes", what, numbers_.size(), axes));
  return Ints::filled(axes, numbers_[0]);
}

Ints Windows::results() const {
  at_least(1, window, "window");  // first: it is the stride, too, where none is given
  at_least(1, stride, "stride");
  at_least(1, dilation, "dilation");
  at_least(0, before, "padding");
  at_least(0, after, "padding");
  const Ints covered = reach(window, dilation);
  Ints r, padded;
  for (int i = 0; i < in.size(); ++i) {
    padded.push_back(sum(sum(in[i], before[i]), after[i]));
    r.push_back((padded[i] - covered[i]) / stride[i] + 1);
  }
  for (int i = 0; i < in.size(); ++i)
    if (covered[i] > padded[i])
      throw ArgumentError(fmt::format("window {} is larger than the padded input {}", covered.text(), padded.text()));
  return r;
}

Windows Windows::over(const Ints& in, const Ints& window, const PerAxis& stride, const Padding& padding,
                      const PerAxis& dilation) {
  const int axes = in.size();
  Windows w{in, window, stride.of(axes, "stride"), {}, {}, dilation.of(axes, "dilation")};
  w.before = padding.before.of(axes, "padding");
  w.after = padding.after.of(axes, "padding");
  if (!padding.same) return w;
  at_least(1, window, "window");
  at_least(1, w.stride, "stride");
  at_least(1, w.dilation, "dilation");
  const Ints covered = reach(window, w.dilation);
  for (int i = 0; i < axes; ++i) {
    const std::int64_t last = in[i] ? (in[i] - 1) / w.stride[i] * w.stride[i] : 0;  // where the last window begins
    const std::int64_t total = std::max<std::int64_t>(0, sum(last, covered[i]) - in[i]);
    w.before[i] = total / 2;
    w.after[i] = total - total / 2;
  }
  return w;
}

Windows Windows::from(const Ints& out, const Ints& window, const PerAxis& stride, const Padding& padding,
                      const PerAxis& dilation, const Ints& further) {
  const int axes = out.size();
  Ints in = Ints::filled(axes, 0);
  Windows w = over(in, window, stride, padding.same ? Padding() : padding, dilation);
  at_least(1, w.stride, "stride");
  at_least(1, w.dilation, "dilation");
  at_least(1, window, "window");
  at_least(0, w.before, "padding");
  at_least(0, w.after, "padding");
  at_least(0, further, "output padding");
  const Ints covered = reach(window, w.dilation);
  for (int i = 0; i < axes; ++i) {
    if (further[i] >= w.stride[i])
      throw ArgumentError(fmt::format("output padding {} is not below stride {}", further.text(), w.stride.text()));
    const std::int64_t last = product(std::max<std::int64_t>(out[i] - 1, 0), w.stride[i]);
    in[i] = padding.same ? product(out[i], w.stride[i])
                         : sum(sum(last, covered[i]), further[i]) - sum(w.before[i], w.after[i]);
    if (in[i] < 0 || (out[i] == 0 && !padding.same))
      throw ArgumentError(
          fmt::format("padding {} and {} leaves nothing of {} results", w.before.text(), w.after.text(), out.text()));
  }
  if (!padding.same) return w.in = in, w;
  if (further != Ints::filled(axes, 0)) throw ArgumentError("Pad::same leaves no room for output padding");
  return over(in, window, stride, padding, dilation);
}

Ints detail::spatial(const Shape& shape) { return Ints(std::span(shape.begin() + 1, shape.end() - 1)); }

Shape detail::around(std::int64_t n, const Ints& axes, std::int64_t channels) {
  Shape s{n};
  for (const std::int64_t a : axes) s.push_back(a);
  s.push_back(channels);
  return s;
}

Tensor detail::channels_last(const Tensor& x) {
  Ints order{0};
  for (int i = 2; i < x.rank(); ++i) order.push_back(i);
  order.push_back(1);
  return transpose(x, order);
}

Tensor detail::channels_first(const Tensor& x) {
  Ints order{0, x.rank() - 1};
  for (int i = 1; i + 1 < x.rank(); ++i) order.push_back(i);
  return transpose(x, order);
}

Tensor detail::joined(const Tensor& x) {
  Shape s = x.shape();
  s.erase(0);
  s[0] = count({s[0], x.shape()[0]});
  return reshape(x, s);
}

Tensor detail::parted(const Tensor& x, std::int64_t a) {
  Shape s = x.shape();
  s[0] /= a;
  s.insert(0, a);
  return reshape(x, s);
}

}  // namespace weft
