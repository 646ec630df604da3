// Part of a tensor, and its opposite: a tensor as part of another.
#include <fmt/format.h>

#include <algorithm>

#include "../tensor/literal.h"
#include "apply.h"
#include "composition.h"
#include "defs/shape.h"
#include "manipulate.h"

namespace weft {

using detail::composed;

namespace {
// Each element of a window begin, begin + step, ... of this size lies in a tensor of `shape`.
void check_window(const Shape& shape, const Ints& begin, const Ints& step, const Shape& size) {
  if (begin.size() != shape.size() || step.size() != shape.size() || size.size() != shape.size())
    throw ShapeError(
        fmt::format("a window {} from {} by {} does not fit {}", size.text(), begin.text(), step.text(), shape.text()));
  if (count(size) == 0) return;
  for (int i = 0; i < shape.size(); ++i) {
    std::int64_t last = 0;
    const bool overflow =
        __builtin_mul_overflow(size[i] - 1, step[i], &last) || __builtin_add_overflow(last, begin[i], &last);
    if (overflow || begin[i] < 0 || begin[i] >= shape[i] || last < 0 || last >= shape[i])
      throw IndexError(
          fmt::format("{} elements from {} by {} leave axis {} of {}", size[i], begin[i], step[i], i, shape.text()));
  }
}
}  // namespace

void StridedSlice::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const SliceAttrs& a = attrs.as<SliceAttrs>();
  check_window(in[0]->shape, a.begin, a.step, a.size);
  out[0] = {in[0]->dtype, a.size};
}

bool StridedSlice::view(const Attrs& attrs, const View& in, View& out) {
  const SliceAttrs& a = attrs.as<SliceAttrs>();
  out.strides = contiguous_strides(out.shape);
  out.data = in.data;
  if (count(out.shape) == 0) return true;
  std::int64_t offset = 0;
  for (int i = 0; i < in.shape.size(); ++i) {
    offset += a.begin[i] * in.strides[i];
    out.strides[i] = in.strides[i] * a.step[i];
  }
  out.data = in.as<std::byte>() + offset * static_cast<std::int64_t>(size_of(in.dtype));
  return true;
}

void StridedSlice::vjp(Backward& b) {
  const SliceAttrs& a = b.attrs<SliceAttrs>();
  b.give(0, apply<Embed>({b.grad()}, EmbedAttrs{a.begin, a.step, b.in_type().shape, 0.0}));
}

void StridedSlice::batch(Batching& b) {
  SliceAttrs a = b.attrs<SliceAttrs>();
  a.begin.insert(0, 0);
  a.step.insert(0, 1);
  a.size.insert(0, b.size());
  b.apply(a);
}

void Embed::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const EmbedAttrs& a = attrs.as<EmbedAttrs>();
  check_window(a.shape, a.begin, a.step, in[0]->shape);
  out[0] = {in[0]->dtype, a.shape};
}

void Embed::run(const Attrs& attrs, Views in, Views out) {
  const EmbedAttrs& a = attrs.as<EmbedAttrs>();
  const View& to = out[0];
  alignas(8) std::byte value[8];
  a.value.write(to.dtype, value, 0, 1);
  const View fill{to.dtype, to.shape, Ints::filled(to.shape.size(), 0), value};
  copy_elements(fill, to);
  View window{to.dtype, in[0].shape, {}, nullptr};
  StridedSlice::view(SliceAttrs{a.begin, a.step, in[0].shape}, to, window);
  copy_elements(in[0], window);
}

void Embed::vjp(Backward& b) {
  const EmbedAttrs& a = b.attrs<EmbedAttrs>();
  b.give(0, apply<StridedSlice>({b.grad()}, SliceAttrs{a.begin, a.step, b.in_type().shape}));
}

void Embed::jvp(Forward& f) {
  EmbedAttrs a = f.attrs<EmbedAttrs>();
  a.value = 0;
  f.give(0, apply<Embed>({f.tangent()}, a));
}

void Embed::batch(Batching& b) {
  EmbedAttrs a = b.attrs<EmbedAttrs>();
  a.begin.insert(0, 0);
  a.step.insert(0, 1);
  a.shape.insert(0, b.size());
  b.apply(a);
}

Tensor slice(const Arg& x, const Ints& begin, const Ints& end, const Ints& step) {
  return composed("slice", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (begin.size() != end.size() || begin.size() > t.rank() || (!step.empty() && step.size() != begin.size()))
      throw IndexError(fmt::format("begin {}, end {} and step {} do not fit rank {}", begin.text(), end.text(),
                                   step.text(), t.rank()));
    SliceAttrs a{Ints::filled(t.rank(), 0), Ints::filled(t.rank(), 1), t.shape()};
    for (int i = 0; i < begin.size(); ++i) {
      const std::int64_t n = t.shape()[i], s = step.empty() ? 1 : step[i];
      if (s == 0 || s == INT64_MIN) throw IndexError(fmt::format("step {} along axis {}", s, i));
      // NumPy's rule: negative counts from the back, then clamp to what exists
      const std::int64_t low = s > 0 ? 0 : -1, high = s > 0 ? n : n - 1;
      const auto place = [&](std::int64_t v) { return std::clamp(v < 0 ? v + n : v, low, high); };
      const std::int64_t b = place(begin[i]), e = place(end[i]);
      a.begin[i] = b;
      a.step[i] = s;
      a.size[i] = s > 0 ? (e > b ? (e - b - 1) / s + 1 : 0) : (b > e ? (b - e - 1) / -s + 1 : 0);
      if (a.size[i] <= 1) a.step[i] = 1;  // one element: any step is the same view
      if (a.size[i] == 0) a.begin[i] = 0;
    }
    return a.size == t.shape() && a.step == Ints::filled(t.rank(), 1) ? t : apply<StridedSlice>({t}, a);
  });
}

Tensor slice_axis(const Arg& x, Axis axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  return composed("slice_axis", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const int at = normal_axis(axis, t.rank());
    Ints b = Ints::filled(at + 1, 0), e = b, s = Ints::filled(at + 1, 1);
    for (int i = 0; i < at; ++i) e[i] = t.shape()[i];
    b[at] = begin;
    e[at] = end;
    s[at] = step;
    return slice(t, b, e, s);
  });
}

Tensor pad(const Arg& x, const Ints& before, const Ints& after, const Literal& value) {
  return composed("pad", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (before.size() != t.rank() || after.size() != t.rank())
      throw ShapeError(fmt::format("paddings {} and {} do not fit rank {}", before.text(), after.text(), t.rank()));
    Shape shape = t.shape();
    for (int i = 0; i < t.rank(); ++i) {
      if (before[i] < 0 || after[i] < 0)
        throw ArgumentError(fmt::format("padding of axis {} is negative: {} and {}", i, before[i], after[i]));
      if (__builtin_add_overflow(shape[i], before[i], &shape[i]) ||
          __builtin_add_overflow(shape[i], after[i], &shape[i]))
        throw ShapeError("element count overflows");
    }
    count(shape);
    value.check(t.dtype());
    return apply<Embed>({t}, EmbedAttrs{before, Ints::filled(t.rank(), 1), shape, value});
  });
}

}  // namespace weft
