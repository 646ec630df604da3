#include "manipulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "../tensor/convert.h"
#include "apply.h"
#include "defs/shape.h"
#include "recorder.h"

namespace weft {

// ---- broadcast_to ----
void BroadcastTo::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const Shape &from = in[0]->shape, &to = attrs.as<ShapeAttrs>().shape;
  count(to);
  bool fits = from.size() <= to.size();
  for (int i = 0; fits && i < from.size(); ++i) {
    const std::int64_t extent = from[from.size() - 1 - i];
    fits = extent == 1 || extent == to[to.size() - 1 - i];
  }
  if (!fits) throw ShapeError(fmt::format("{} does not broadcast to {}", from.text(), to.text()));
  out[0] = {in[0]->dtype, to};
}

bool BroadcastTo::view(const Attrs&, const View& in, View& out) {
  const int shift = out.shape.size() - in.shape.size();
  out.strides = Ints::filled(out.shape.size(), 0);
  for (int i = 0; i < in.shape.size(); ++i)
    if (in.shape[i] != 1) out.strides[i + shift] = in.strides[i];
  out.data = in.data;
  return true;
}

Tensor detail::sum_to(const Tensor& x, const Shape& shape) {
  const int shift = x.rank() - shape.size();
  Ints axes;
  for (int i = 0; i < x.rank(); ++i)
    if (i < shift || shape[i - shift] != x.shape()[i]) axes.push_back(i);
  return reshape(axes.empty() ? x : sum(x, axes), shape);
}

void BroadcastTo::batch(Batching& b) {
  const Shape &from = b.shape(), &to = b.attrs<ShapeAttrs>().shape;
  Shape aligned = Shape::filled(to.size(), 1);  // the new axes come after the batch
  for (int i = 0; i < from.size(); ++i) aligned[to.size() - from.size() + i] = from[i];
  b.give(broadcast_to(reshape(b.in(), b.with_batch(aligned)), b.with_batch(to)));
}

void BroadcastTo::vjp(Backward& b) { b.give(0, detail::sum_to(b.grad(), b.in_type().shape)); }

// ---- reshape ----
void Reshape::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const Shape& to = attrs.as<ShapeAttrs>().shape;
  if (count(to) != count(in[0]->shape))
    throw ShapeError(fmt::format("{} elements of {} can't be {}", count(in[0]->shape), in[0]->shape.text(), to.text()));
  out[0] = {in[0]->dtype, to};
}

// A view if every run of old axes that a run of new ones replaces can be walked with one stride.
bool Reshape::view(const Attrs&, const View& in, View& out) {
  out.data = in.data;
  out.strides = contiguous_strides(out.shape);
  if (in.contiguous()) return true;
  const int old_rank = in.shape.size(), new_rank = out.shape.size();
  int i = 0, j = 0;
  while (i < old_rank || j < new_rank) {
    std::int64_t old_size = i < old_rank ? in.shape[i] : 1, new_size = j < new_rank ? out.shape[j] : 1;
    int i_end = std::min(i + 1, old_rank), j_end = std::min(j + 1, new_rank);
    while (old_size != new_size) {
      if (old_size < new_size)
        old_size *= in.shape[i_end++];
      else
        new_size *= out.shape[j_end++];
    }
    // Old axes [i, i_end) and new axes [j, j_end) hold the same number of elements.
    std::int64_t stride = 0, extent = 1;
    for (int k = i_end; k-- > i;) {
      if (in.shape[k] == 1) continue;
      if (extent == 1)
        stride = in.strides[k];
      else if (in.strides[k] != stride * extent)
        return false;
      extent *= in.shape[k];
    }
    for (int k = j_end; k-- > j;) {
      out.strides[k] = stride;
      stride *= out.shape[k];
    }
    i = i_end;
    j = j_end;
  }
  return true;
}

Tensor reshape(const Arg& x, const Shape& wanted) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  if (!t.defined()) return apply<Reshape>({t}, ShapeAttrs{wanted});  // the door refuses it
  if (t.shape() == wanted) return t;
  Shape shape = wanted;
  const auto fail = [&](std::string rule) {
    ShapeError e(rule);
    e.locate("reshape", {describe_operand("in0", t)}, site_text(SiteScope::current()));
    throw e;
  };
  int open = -1;
  std::int64_t rest = 1;
  bool overflow = false;
  const bool none = wanted.contains(0);  // no elements, however large the other extents are
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) {
      if (open >= 0) fail(fmt::format("two extents of {} are -1", wanted.text()));
      open = i;
    } else if (shape[i] < 0) {
      fail(fmt::format("extent {} of dimension {} is negative in {}", shape[i], i, wanted.text()));
    } else {
      overflow |= __builtin_mul_overflow(rest, shape[i], &rest);
    }
  }
  if (none) {
    rest = 0;
    overflow = false;
  }
  if (open >= 0 && !overflow) {
    if (rest == 0 || t.size() % rest)
      fail(fmt::format("{} elements of {} can't be {}", t.size(), t.shape().text(), wanted.text()));
    shape[open] = t.size() / rest;
  } else if (overflow || rest != t.size()) {
    fail(fmt::format("{} elements of {} can't be {}", t.size(), t.shape().text(), wanted.text()));
  }
  return t.shape() == shape ? t : apply<Reshape>({t}, ShapeAttrs{shape});
}

// ---- transpose ----
void Transpose::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const Ints& axes = attrs.as<TransposeAttrs>().axes;
  if (axes.size() != in[0]->shape.size())
    throw IndexError(fmt::format("{} axes named for rank {}", axes.size(), in[0]->shape.size()));
  out[0] = {in[0]->dtype, in[0]->shape};
  for (int i = 0; i < axes.size(); ++i) out[0].shape[i] = in[0]->shape[static_cast<int>(axes[i])];
}

bool Transpose::view(const Attrs& attrs, const View& in, View& out) {
  const Ints& axes = attrs.as<TransposeAttrs>().axes;
  out.strides = axes;
  for (int i = 0; i < axes.size(); ++i) out.strides[i] = in.strides[static_cast<int>(axes[i])];
  out.data = in.data;
  return true;
}

void Transpose::vjp(Backward& b) {
  const Ints& axes = b.attrs<TransposeAttrs>().axes;
  Ints inverse = axes;
  for (int i = 0; i < axes.size(); ++i) inverse[static_cast<int>(axes[i])] = i;
  b.give(0, transpose(b.grad(), inverse));
}

void Transpose::batch(Batching& b) {
  Ints axes = b.attrs<TransposeAttrs>().axes;
  for (std::int64_t& a : axes) ++a;
  axes.insert(0, 0);
  b.apply(TransposeAttrs{axes});
}

namespace {
// Runs f; an error gets the op's name, its operand and its line.
template <class F> auto checked(const char* name, const Tensor& t, F f) {
  try {
    if (!t.defined()) throw ArgumentError("operand 0 is undefined");
    return f();
  } catch (Error& e) {
    e.locate(name, {describe_operand("in0", t)}, site_text(SiteScope::current()));
    throw;
  }
}
}  // namespace

Tensor transpose(const Arg& x, const std::optional<Ints>& axes) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return checked("transpose", t, [&] {
    Ints order;
    if (axes) {
      for (std::int64_t a : *axes) {
        const int axis = normal_axis(a, t.rank());
        if (order.contains(axis)) throw IndexError(fmt::format("axis {} appears twice in {}", axis, axes->text()));
        order.push_back(axis);
      }
      if (order.size() != t.rank()) throw IndexError(fmt::format("{} axes named for rank {}", order.size(), t.rank()));
    } else {
      for (int i = t.rank(); i-- > 0;) order.push_back(i);
    }
    return apply<Transpose>({t}, TransposeAttrs{order});
  });
}

Tensor swap_axes(const Arg& x, std::int64_t a, std::int64_t b) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return checked("swap_axes", t, [&] {
    Ints order;
    for (int i = 0; i < t.rank(); ++i) order.push_back(i);
    std::swap(order[normal_axis(a, t.rank())], order[normal_axis(b, t.rank())]);
    return apply<Transpose>({t}, TransposeAttrs{order});
  });
}

// ---- slice and its opposite ----
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
  detail::convert_elements(f64, &a.value, 0, to.dtype, value, 0, 1);
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
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return checked("slice", t, [&] {
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

Tensor slice_axis(const Arg& x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return checked("slice_axis", t, [&] {
    const int at = normal_axis(axis, t.rank());
    Ints b = Ints::filled(at + 1, 0), e = b, s = Ints::filled(at + 1, 1);
    for (int i = 0; i < at; ++i) e[i] = t.shape()[i];
    b[at] = begin;
    e[at] = end;
    s[at] = step;
    return slice(t, b, e, s);
  });
}

Tensor pad(const Arg& x, const Ints& before, const Ints& after, double value) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return checked("pad", t, [&] {
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
    return apply<Embed>({t}, EmbedAttrs{before, Ints::filled(t.rank(), 1), shape, value});
  });
}

Tensor expand(const Arg& x, std::int64_t axis) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return checked("expand", t, [&] {
    Shape shape = t.shape();
    shape.insert(normal_axis(axis, t.rank() + 1), 1);
    return apply<Reshape>({t}, ShapeAttrs{shape});
  });
}

Tensor squeeze(const Arg& x, const std::optional<Ints>& axes) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return checked("squeeze", t, [&] {
    Shape shape;
    const Ints named = axes ? normal_axes(*axes, t.rank()) : Ints{};
    for (int i = 0; i < t.rank(); ++i) {
      if (axes && named.contains(i) && t.shape()[i] != 1)
        throw ShapeError(fmt::format("axis {} has extent {}, not 1", i, t.shape()[i]));
      const bool drop = axes ? named.contains(i) : t.shape()[i] == 1;
      if (!drop) shape.push_back(t.shape()[i]);
    }
    return reshape(t, shape);
  });
}

// ---- concat, stack ----
void Concat::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const int axis = attrs.as<ConcatAttrs>().axis;
  Type type = *in[0];
  normal_axis(axis, type.shape.size());
  for (std::size_t k = 1; k < in.size(); ++k) {
    if (in[k]->dtype != type.dtype)
      throw DTypeError(
          fmt::format("dtypes differ: {} and {} (part {})", name_of(type.dtype), name_of(in[k]->dtype), k));
    Shape rest = in[k]->shape, mine = type.shape;
    if (rest.size() == mine.size()) rest[axis] = mine[axis] = 0;
    if (rest != mine)
      throw ShapeError(fmt::format("shapes {} and {} (part {}) differ beyond axis {}", in[0]->shape.text(),
                                   in[k]->shape.text(), k, axis));
    if (__builtin_add_overflow(type.shape[axis], in[k]->shape[axis], &type.shape[axis]))
      throw ShapeError("element count overflows");
  }
  out[0] = type;
}

void Concat::run(const Attrs& attrs, Views in, Views out) {
  const int axis = attrs.as<ConcatAttrs>().axis;
  std::int64_t at = 0;
  for (const View& part : in) {
    View window{part.dtype, part.shape, out[0].strides, nullptr};
    window.data = out[0].as<std::byte>() + at * out[0].strides[axis] * static_cast<std::int64_t>(size_of(part.dtype));
    copy_elements(part, window);
    at += part.shape[axis];
  }
}

void Concat::vjp(Backward& b) {
  const int axis = b.attrs<ConcatAttrs>().axis;
  const Tensor g = b.grad();
  std::int64_t at = 0;
  for (int i = 0; i < b.inputs(); ++i) {
    const std::int64_t n = b.in_type(i).shape[axis];
    if (b.wants(i)) b.give(i, slice_axis(g, axis, at, at + n));
    at += n;
  }
}

Tensor concat(const std::vector<Tensor>& parts, std::int64_t axis, std::source_location site) {
  const SiteScope scope(site);
  if (parts.empty()) {
    ArgumentError e("no parts");
    e.locate("concat", {}, site_text(site));
    throw e;
  }
  if (!parts[0].defined()) return apply(op_of<Concat>(), ConcatAttrs{0}, parts);
  const int at = checked("concat", parts[0], [&] { return normal_axis(axis, parts[0].rank()); });
  return apply(op_of<Concat>(), ConcatAttrs{at}, parts);
}

Tensor stack(const std::vector<Tensor>& parts, std::int64_t axis, std::source_location site) {
  const SiteScope scope(site);
  if (parts.empty() || !parts[0].defined()) return concat(parts, 0, site);
  const int at = checked("stack", parts[0], [&] { return normal_axis(axis, parts[0].rank() + 1); });
  std::vector<Tensor> expanded;
  for (const Tensor& p : parts) expanded.push_back(p.defined() ? expand(p, at) : p);
  return concat(expanded, at, site);
}

Tensor contiguous(const Arg& x) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return t.defined() && t.is_contiguous() && !t.is_traced() ? t : apply<Contiguous>({t});
}

}  // namespace weft
