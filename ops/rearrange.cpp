#include "rearrange.h"

#include <fmt/format.h>

#include <algorithm>

#include "../tensor/create.h"
#include "apply.h"
#include "composition.h"
#include "indexing.h"
#include "manipulate.h"
#include "math.h"
#include "reduce.h"

namespace weft {
namespace {

using detail::composed;

Tensor part(const Tensor& t, int axis, std::int64_t begin, std::int64_t size) {
  return slice_axis(t, axis, begin, begin + size);
}

Tensor reversed(const Tensor& t, int axis) { return slice_axis(t, axis, INT64_MAX, INT64_MIN, -1); }

// t with a copy of `times` after one another in place of axis `axis`: a new axis of that extent at `at`, merged with
// it.
Tensor spread(const Tensor& t, std::int64_t times, int axis, int at) {
  Shape wide = t.shape(), flat = t.shape();
  if (__builtin_mul_overflow(flat[axis], times, &flat[axis])) throw ShapeError("element count overflows");
  count(flat);
  if (t.rank() == max_rank) {  // no room for an axis more: those before, and those after, are one meanwhile
    const std::span<const std::int64_t> extents(wide.begin(), wide.end());
    const Shape first = extents.first(static_cast<std::size_t>(axis)),
                rest = extents.subspan(static_cast<std::size_t>(axis) + 1);
    return reshape(spread(reshape(t, {count(first), wide[axis], count(rest)}), times, 1, at - axis + 1), flat);
  }
  wide.insert(at, times);
  return reshape(broadcast_to(expand(t, at), wide), flat);
}

void check_times(std::int64_t times) {
  if (times < 0) throw ArgumentError(fmt::format("{} times", times));
}

// A list of tensors is no place for as many as a tensor may have elements.
void check_parts(std::int64_t parts) {
  constexpr std::int64_t most = std::int64_t{1} << 20;
  if (parts > most)
    throw ArgumentError(fmt::format("a list of {} tensors, more than {}", parts, most), "slice them off as needed");
}

std::vector<Tensor> cut(const Tensor& t, const std::vector<std::int64_t>& extents, int axis) {
  std::vector<Tensor> parts;
  std::int64_t at = 0;
  for (std::int64_t n : extents) {
    parts.push_back(part(t, axis, at, n));
    at += n;
  }
  return parts;
}

Tensor pad_axis(const Tensor& t, int axis, std::int64_t before, std::int64_t after, PadMode mode) {
  if (before == 0 && after == 0) return t;
  const std::int64_t n = t.shape()[axis], most = mode == PadMode::reflect    ? n - 1
                                                 : mode == PadMode::circular ? n
                                                 : n                         ? INT64_MAX
                                                                             : 0;
  if (std::max(before, after) > most)
    throw ShapeError(fmt::format("{} and {} elements around axis {}, which has {}", before, after, axis, n),
                     mode == PadMode::reflect ? "reflect takes at most one less than there are" : "");
  switch (mode) {
    case PadMode::reflect:
      return concat({reversed(part(t, axis, 1, before), axis), t, reversed(part(t, axis, n - 1 - after, after), axis)},
                    axis);
    case PadMode::circular: return concat({part(t, axis, n - before, before), t, part(t, axis, 0, after)}, axis);
    case PadMode::replicate: break;
  }
  return concat(
      {spread(part(t, axis, 0, 1), before, axis, axis), t, spread(part(t, axis, n - 1, 1), after, axis, axis)}, axis);
}

}  // namespace

Tensor flip(const Arg& x, const Axes& axes) {
  return composed("flip", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const Ints named = axes.list ? normal_axes(*axes.list, t.rank()) : Ints{};
    Ints begin, end, step;
    for (int i = 0; i < t.rank(); ++i) {
      const bool turn = !axes.list || named.contains(i);
      begin.push_back(turn ? INT64_MAX : 0);
      end.push_back(turn ? INT64_MIN : INT64_MAX);
      step.push_back(turn ? -1 : 1);
    }
    return slice(t, begin, end, step);
  });
}

Tensor roll(const Arg& x, std::int64_t shift, const std::optional<Axis>& axis) {
  return composed("roll", {{"in0", x}}, [&] {
    const Tensor t = x.tensor(), moved = axis ? t : reshape(t, {t.size()});
    const int at = axis ? normal_axis(*axis, t.rank()) : 0;
    const std::int64_t n = moved.shape()[at], by = n ? (shift % n + n) % n : 0;
    if (by == 0) return t;
    const Tensor rolled = concat({part(moved, at, n - by, by), part(moved, at, 0, n - by)}, at);
    return axis ? rolled : reshape(rolled, t.shape());
  });
}

Tensor repeat(const Arg& x, std::int64_t times, Axis axis) {
  return composed("repeat", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    check_times(times);
    const int at = normal_axis(axis, t.rank());
    return spread(t, times, at, at + 1);
  });
}

Tensor repeat(const Arg& x, const std::vector<std::int64_t>& times, Axis axis) {
  return composed("repeat", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const int at = normal_axis(axis, t.rank());
    if (std::ssize(times) != t.shape()[at])
      throw ShapeError(fmt::format("{} numbers for the {} elements of axis {}", times.size(), t.shape()[at], at));
    Shape shape = t.shape();
    shape[at] = 0;
    for (std::int64_t n : times) {
      check_times(n);
      if (__builtin_add_overflow(shape[at], n, &shape[at])) throw ShapeError("element count overflows");
    }
    if (count(shape) == 0) return reshape(slice_axis(t, at, 0, t.size() ? 0 : INT64_MAX), shape);
    const Tensor indices = from_writer<std::int64_t>({shape[at]}, [&](std::span<std::int64_t> to) {
      auto next = to.begin();
      for (std::size_t i = 0; i < times.size(); ++i) next = std::fill_n(next, times[i], static_cast<std::int64_t>(i));
    });
    return gather(t, indices, at);
  });
}

Tensor tile(const Arg& x, const Ints& times) {
  return composed("tile", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    std::for_each(times.begin(), times.end(), check_times);
    Shape shape = t.shape();
    while (shape.size() < times.size()) shape.insert(0, 1);
    Tensor y = reshape(t, shape);
    const int shift = y.rank() - times.size();
    for (int i = times.size(); i-- > 0;)  // the last first: the copies grow
      if (times[i] != 1) y = spread(y, times[i], i + shift, i + shift);
    return y;
  });
}

std::vector<Tensor> split(const Arg& x, std::int64_t parts, Axis axis) {
  return composed("split", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const int at = normal_axis(axis, t.rank());
    const std::int64_t n = t.shape()[at];
    if (parts < 1) throw ArgumentError(fmt::format("{} parts", parts));
    if (n % parts)
      throw ShapeError(fmt::format("{} elements along axis {} are no {} equal parts", n, at, parts),
                       "chunk(x, n) allows a smaller last one");
    check_parts(parts);
    return cut(t, std::vector<std::int64_t>(static_cast<std::size_t>(parts), n / parts), at);
  });
}

std::vector<Tensor> split(const Arg& x, const std::vector<std::int64_t>& extents, Axis axis) {
  return composed("split", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const int at = normal_axis(axis, t.rank());
    std::int64_t sum = 0;
    for (std::int64_t n : extents) {
      if (n < 0) throw ShapeError(fmt::format("extent {} is negative", n));
      if (__builtin_add_overflow(sum, n, &sum)) throw ShapeError("element count overflows");
    }
    if (sum != t.shape()[at])
      throw ShapeError(fmt::format("the extents add up to {}, axis {} has {}", sum, at, t.shape()[at]));
    return cut(t, extents, at);
  });
}

std::vector<Tensor> chunk(const Arg& x, std::int64_t chunks, Axis axis) {
  return composed("chunk", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const int at = normal_axis(axis, t.rank());
    if (chunks < 1) throw ArgumentError(fmt::format("{} chunks", chunks));
    const std::int64_t n = t.shape()[at], each = std::max<std::int64_t>(1, (n - 1) / chunks + 1);
    check_parts(n == 0 ? chunks : (n - 1) / each + 1);
    std::vector<std::int64_t> extents;
    for (std::int64_t i = 0; i < n; i += each) extents.push_back(std::min(each, n - i));
    if (n == 0) extents.assign(static_cast<std::size_t>(chunks), 0);
    return cut(t, extents, at);
  });
}

std::vector<Tensor> unstack(const Arg& x, Axis axis) {
  return composed("unstack", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const int at = normal_axis(axis, t.rank());
    check_parts(t.shape()[at]);
    std::vector<Tensor> parts;
    for (std::int64_t i = 0; i < t.shape()[at]; ++i) parts.push_back(squeeze(part(t, at, i, 1), Ints{at}));
    return parts;
  });
}

Tensor pad(const Arg& x, const Ints& before, const Ints& after, PadMode mode) {
  return composed("pad", {{"in0", x}}, [&] {
    Tensor t = x.tensor();
    if (before.size() != t.rank() || after.size() != t.rank())
      throw ShapeError(fmt::format("paddings {} and {} do not fit rank {}", before.text(), after.text(), t.rank()));
    for (int i = 0; i < t.rank(); ++i)
      if (before[i] < 0 || after[i] < 0)
        throw ArgumentError(fmt::format("padding of axis {} is negative: {} and {}", i, before[i], after[i]));
    for (int i = t.rank(); i-- > 0;) t = pad_axis(t, i, before[i], after[i], mode);
    return t;
  });
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, Flag xy, Site site) {
  return detail::called("meshgrid", site, [&] {
    Shape shape;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (!axes[i].defined()) throw ArgumentError(fmt::format("operand {} is undefined", i));
      if (axes[i].rank() != 1) throw ShapeError(fmt::format("operand {} has rank {}, not 1", i, axes[i].rank()));
      shape.push_back(axes[i].size());
    }
    const bool swap = xy && axes.size() > 1;
    if (swap) std::swap(shape[0], shape[1]);
    std::vector<Tensor> grids;
    for (int i = 0; i < shape.size(); ++i) {
      Shape along = Shape::filled(shape.size(), 1);
      along[swap && i < 2 ? 1 - i : i] = -1;
      grids.push_back(broadcast_to(reshape(axes[static_cast<std::size_t>(i)], along), shape));
    }
    return grids;
  });
}

}  // namespace weft
