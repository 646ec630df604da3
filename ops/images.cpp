#include "images.h"

#include <fmt/format.h>

#include <algorithm>

#include "../tensor/create.h"
#include "apply.h"
#include "composition.h"
#include "defs/resize.h"
#include "indexing.h"
#include "manipulate.h"
#include "math.h"

namespace weft {
namespace {

using detail::composed;

// Where windows lie in the grid with its padding.
struct Grid {
  Ints extents, stride, dilation, padding;
  Shape padded, counts;
  std::int64_t windows = 1;

  Grid(const Shape& spatial, const Ints& kernel, const WindowOptions& o) {
    const int axes = kernel.size();
    if (axes == 0) throw ArgumentError("a kernel without axes");
    const auto spelled = [&](const Ints& v, std::int64_t usual, const char* what) {
      if (v.empty()) return Ints::filled(axes, usual);
      if (v.size() != axes) throw ArgumentError(fmt::format("{} {} for a kernel {}", what, v.text(), kernel.text()));
      for (std::int64_t i : v)
        if (i < usual) throw ArgumentError(fmt::format("{} {} has a number below {}", what, v.text(), usual));
      return v;
    };
    extents = spelled(kernel, 1, "kernel");
    stride = spelled(o.stride, 1, "stride");
    dilation = spelled(o.dilation, 1, "dilation");
    padding = spelled(o.padding, 0, "padding");
    padded = counts = spatial;
    for (int i = 0; i < axes; ++i) {
      std::int64_t reach = 0;
      if (__builtin_mul_overflow(extents[i] - 1, dilation[i], &reach) || padding[i] > INT64_MAX / 4 ||
          __builtin_add_overflow(padded[i], 2 * padding[i], &padded[i]))
        throw ShapeError("element count overflows");
      if (reach >= padded[i])
        throw ArgumentError(fmt::format("a kernel that reaches over {} elements of the {} along spatial axis {}",
                                        static_cast<std::uint64_t>(reach) + 1, padded[i], i));
      counts[i] = (padded[i] - reach - 1) / stride[i] + 1;
    }
    windows = count(counts);
    count(padded);
  }

  // For each element of the kernel and each window a position in the padded grid, i64[kernel elements, windows]: along
  // each axis dilation * (element of the kernel) + stride * (window), all axes together in row-major order.
  Tensor positions() const {
    const auto offsets = [&](const Ints& numbers, const Ints& step) {
      Tensor sum = zeros({}, i64);
      for (int i = 0; i < numbers.size(); ++i) {
        Shape along = Shape::filled(numbers.size(), 1);
        along[i] = numbers[i];
        sum = sum * padded[i] + reshape(arange(numbers[i]) * step[i], along);
      }
      return reshape(sum, {-1});
    };
    return expand(offsets(extents, dilation), -1) + offsets(counts, stride);
  }

  Ints around(int rank) const {
    Ints p = Ints::filled(rank, 0);
    for (int i = 0; i < padding.size(); ++i) p[rank - padding.size() + i] = padding[i];
    return p;
  }
};

Tensor resize_nearest(const Tensor& t, int axis, std::int64_t size) {
  const std::int64_t whole = t.shape()[axis] / size, rest = t.shape()[axis] % size;
  count({size, rest});  // i * n can overflow; i * whole is at most n
  const Tensor i = arange(size);
  return gather(t, i * whole + floor_divide(i * rest, size), axis);
}

}  // namespace

Tensor unfold(const Arg& x, const Ints& kernel, const WindowOptions& options) {
  return composed("unfold", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (t.rank() != 2 + kernel.size())
      throw ShapeError(fmt::format("rank {} is not [n, c, spatial...] of a kernel {}", t.rank(), kernel.text()));
    const Grid w(Shape(std::span(t.shape().begin() + 2, t.shape().end())), kernel, options);
    const std::int64_t n = t.shape()[0], c = t.shape()[1];
    const Shape shape = {n, count({c, count(kernel)}), w.windows};
    if (count(shape) == 0) return reshape(t, shape);  // nothing is picked, however many windows there are
    const Tensor padded = pad(t, w.around(t.rank()), w.around(t.rank()));
    return reshape(gather(reshape(padded, {n, c, count(w.padded)}), w.positions(), 2), shape);
  });
}

Tensor fold(const Arg& x, const Ints& spatial, const Ints& kernel, const WindowOptions& options) {
  return composed("fold", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (spatial.size() != kernel.size())
      throw ArgumentError(fmt::format("spatial extents {} for a kernel {}", spatial.text(), kernel.text()));
    const Grid w(spatial, kernel, options);
    const std::int64_t elements = count(kernel);
    if (t.rank() != 3 || t.shape()[1] % elements || t.shape()[2] != w.windows)
      throw ShapeError(fmt::format("{} is not [n, c * {}, {}]", t.shape().text(), elements, w.windows));
    const std::int64_t n = t.shape()[0], c = t.shape()[1] / elements;
    if (n == 0 || c == 0) {
      Shape shape = {n, c};
      for (std::int64_t e : spatial) shape.push_back(e);
      return reshape(t, shape);
    }
    const Tensor none = broadcast_to(Arg(0).tensor(t.dtype()), {n, c, count(w.padded)});
    const Tensor added = scatter_add(none, w.positions(), reshape(t, {n, c, elements, w.windows}), 2);
    Shape grid = {n, c};
    for (std::int64_t e : w.padded) grid.push_back(e);
    const Ints begin = w.around(grid.size());
    Ints end = grid;
    for (int i = 0; i < end.size(); ++i) end[i] -= begin[i];
    return slice(reshape(added, grid), begin, end);
  });
}

Tensor interpolate(const Arg& x, const Ints& size, Interpolation mode, Flag align_corners) {
  return composed("interpolate", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (t.rank() != 2 + size.size() || size.empty())
      throw ShapeError(fmt::format("rank {} is not [n, c, spatial...] of the extents {}", t.rank(), size.text()));
    const bool linear = mode == Interpolation::linear;
    if (linear && !is_floating(t.dtype()))
      throw DTypeError(fmt::format("no meaning for {}", name_of(t.dtype())), "cast it to f32 or f64");
    Shape shape = t.shape();
    for (int i = 0; i < size.size(); ++i) {
      if (size[i] < 1) throw ArgumentError(fmt::format("extent {} of spatial axis {}", size[i], i));
      if (t.shape()[2 + i] < 1) throw ShapeError(fmt::format("of no elements: {}", t.shape().text()));
      shape[2 + i] = size[i];
    }
    if (count(shape) == 0) return reshape(t, shape);
    Tensor y = linear ? cast(t, compute_type(t.dtype())) : t;
    for (int i = 0; i < size.size(); ++i)
      if (size[i] != t.shape()[2 + i])
        y = linear ? apply<ResizeLinear>({y}, ResizeAttrs{2 + i, t.shape()[2 + i], size[i], align_corners})
                   : resize_nearest(y, 2 + i, size[i]);
    return cast(y, t.dtype());
  });
}

Tensor pixel_shuffle(const Arg& x, std::int64_t r) {
  return composed("pixel_shuffle", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (r < 1 || r > 1 << 15) throw ArgumentError(fmt::format("squares of {} by {}", r, r));
    const int rank = t.rank();
    if (rank < 3 || t.shape()[rank - 3] % (r * r))
      throw ShapeError(fmt::format("{} is not [..., c * {}, h, w]", t.shape().text(), r * r));
    const Shape& s = t.shape();
    const std::int64_t c = s[rank - 3] / (r * r), h = s[rank - 2], w = s[rank - 1];
    Shape shape(std::span(s.begin(), static_cast<std::size_t>(rank - 3)));
    const std::int64_t outer = count(shape);
    for (std::int64_t n : {c, count({h, r}), count({w, r})}) shape.push_back(n);
    return reshape(transpose(reshape(t, {count({outer, c}), r, r, h, w}), Ints{0, 3, 1, 4, 2}), shape);
  });
}

Tensor pixel_unshuffle(const Arg& x, std::int64_t r) {
  return composed("pixel_unshuffle", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (r < 1 || r > 1 << 15) throw ArgumentError(fmt::format("squares of {} by {}", r, r));
    const int rank = t.rank();
    if (rank < 3 || t.shape()[rank - 2] % r || t.shape()[rank - 1] % r)
      throw ShapeError(fmt::format("{} is not [..., c, h * {}, w * {}]", t.shape().text(), r, r));
    const Shape& s = t.shape();
    const std::int64_t c = s[rank - 3], h = s[rank - 2] / r, w = s[rank - 1] / r;
    Shape shape(std::span(s.begin(), static_cast<std::size_t>(rank - 3)));
    const std::int64_t outer = count(shape);
    for (std::int64_t n : {count({c, r, r}), h, w}) shape.push_back(n);
    return reshape(transpose(reshape(t, {count({outer, c}), h, r, w, r}), Ints{0, 2, 4, 1, 3}), shape);
  });
}

}  // namespace weft
