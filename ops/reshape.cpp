// The same elements under another shape: reshape, expand, squeeze; repeated (broadcast_to), in order (contiguous).
#include <fmt/format.h>

#include <algorithm>

#include "apply.h"
#include "composition.h"
#include "defs/shape.h"
#include "manipulate.h"
#include "recorder.h"

namespace weft {

using detail::composed;

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
    detail::fail_in("reshape", ShapeError(rule), {describe_operand("in0", t)});
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

Tensor expand(const Arg& x, Axis axis) {
  return composed("expand", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    Shape shape = t.shape();
    shape.insert(normal_axis(axis, t.rank() + 1), 1);
    return apply<Reshape>({t}, ShapeAttrs{shape});
  });
}

Tensor squeeze(const Arg& x, const Axes& axes) {
  return composed("squeeze", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    Shape shape;
    const Ints named = axes.list ? normal_axes(*axes.list, t.rank()) : Ints{};
    for (int i = 0; i < t.rank(); ++i) {
      if (axes.list && named.contains(i) && t.shape()[i] != 1)
        throw ShapeError(fmt::format("axis {} has extent {}, not 1", i, t.shape()[i]));
      const bool drop = axes.list ? named.contains(i) : t.shape()[i] == 1;
      if (!drop) shape.push_back(t.shape()[i]);
    }
    return reshape(t, shape);
  });
}

Tensor contiguous(const Arg& x) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  // Where somebody records it is another tensor than x, as in a trace, which can't know how x lies.
  const bool as_it_is = t.defined() && !t.is_traced() && t.is_contiguous() && active_recorders().empty();
  return as_it_is ? t : apply<Contiguous>({t});
}

}  // namespace weft
