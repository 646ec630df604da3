#include "indexing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "../tensor/create.h"
#include "../tensor/parallel.h"
#include "apply.h"
#include "composition.h"
#include "defs/indexing.h"
#include "defs/reduce.h"
#include "index_list.h"
#include "manipulate.h"
#include "math.h"

namespace weft {
namespace {

using detail::check_index_type;
using detail::composed;

// y[k] = x[indices[k]]
template <class T> void pick(const std::byte* x, const std::int64_t* indices, std::byte* y, std::int64_t n) {
  for (std::int64_t k = 0; k < n; ++k) reinterpret_cast<T*>(y)[k] = reinterpret_cast<const T*>(x)[indices[k]];
}

}  // namespace

void Gather::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  check_index_type(*in[1]);
  out[0] = {in[0]->dtype, detail::picked_shape(in[0]->shape, in[1]->shape, attrs.as<AxisAttrs>().axis)};
}

void Gather::run(const Attrs& attrs, Views in, Views out) {
  const int axis = attrs.as<AxisAttrs>().axis;
  const ReduceGeometry g(in[0].shape, {axis, axis + 1});
  const detail::IndexList indices(in[1], g.n, -g.n);
  if (count(out[0].shape) == 0) return;
  Storage copy;
  const std::byte* const x = detail::in_order(in[0], copy);
  std::byte* const y = out[0].as<std::byte>();
  const std::int64_t row = g.inner * static_cast<std::int64_t>(size_of(in[0].dtype)), picked = std::ssize(indices);
  const std::int64_t part = std::max<std::int64_t>(1, (1 << 16) / row), parts = (picked + part - 1) / part;
  const int threads = g.outer * picked * row < 1 << 17 ? 1 : num_threads();
  parallel_for(g.outer * parts, threads, [&](std::int64_t task) {
    const std::int64_t o = task / parts, first = task % parts * part, n = std::min(part, picked - first);
    const std::byte* const from = x + o * g.n * row;
    const std::int64_t* const at = indices.begin() + first;
    std::byte* const to = y + (o * picked + first) * row;
    switch (row) {
      case 1: return pick<std::uint8_t>(from, at, to, n);
      case 2: return pick<std::uint16_t>(from, at, to, n);
      case 4: return pick<std::uint32_t>(from, at, to, n);
      case 8: return pick<std::uint64_t>(from, at, to, n);
      default:
        for (std::int64_t k = 0; k < n; ++k)
          std::memcpy(to + k * row, from + at[k] * row, static_cast<std::size_t>(row));
    }
  });
}

void Gather::vjp(Backward& b) {
  if (!b.wants(0)) return;
  const Type& x = b.in_type(0);
  const Tensor zeros = broadcast_to(Arg(0).tensor(x.dtype), x.shape);
  b.give(0, scatter_add(zeros, b.in(1), b.grad(), b.attrs<AxisAttrs>().axis));
}

void Gather::batch(Batching& b) {
  using detail::move_axes;
  const int axis = b.attrs<AxisAttrs>().axis, picked = b.shape(1).size();
  if (!b.batched(1)) return b.give(gather(b.in(0), b.in(1), axis + 1));
  if (!b.batched(0)) return b.give(move_axes(gather(b.in(0), b.in(1), axis), axis, 1, 0));
  const Tensor rows = gather(detail::long_axis(b.in(0), axis), detail::long_indices(b, b.shape(0)[axis]));
  b.give(move_axes(rows, 1, picked, 1 + axis));  // from [b, indices, pre, post]
}

void CheckIndices::infer(const Attrs&, Types in, std::span<Type> out) {
  check_index_type(*in[0]);
  out[0] = *in[0];
}

void CheckIndices::run(const Attrs& attrs, Views in, Views out) {
  const auto& [n, low] = attrs.as<CheckAttrs>();
  detail::IndexList(in[0], n, low);
  copy_elements(in[0], out[0]);
}

void AxisPositions::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  check_index_type(*in[0]);
  normal_axis(attrs.as<PositionsAttrs>().axis, in[0]->shape.size());
  out[0] = {i64, in[0]->shape};
}

void AxisPositions::run(const Attrs& attrs, Views in, Views out) {
  const PositionsAttrs& a = attrs.as<PositionsAttrs>();
  const std::int64_t extent = a.n, outer_extent = a.outer;
  const detail::IndexList indices(in[0], extent, -extent);
  const ReduceGeometry g(in[0].shape, {a.axis, a.axis + 1});
  if (std::ssize(indices) == 0) return;
  constexpr std::int64_t part = 8192;  // rows
  const std::int64_t rows = g.outer * g.n;
  parallel_for((rows + part - 1) / part, rows * g.inner < 1 << 15 ? 1 : num_threads(), [&](std::int64_t task) {
    const std::int64_t* index = indices.begin() + task * part * g.inner;
    const std::int64_t end = std::min(rows, (task + 1) * part);
    auto* to = out[0].as<std::int64_t>() + task * part * g.inner;
    std::int64_t o = task * part / g.n % outer_extent, along = task * part % g.n;
    for (std::int64_t r = task * part; r < end; along = 0, o = o + 1 == outer_extent ? 0 : o + 1) {  // those of one o
      const std::int64_t first = o * extent, run = std::min(end - r, g.n - along);
      for (std::int64_t k = 0; g.inner == 1 && k < run; ++k) to[k] = first + index[k];
      for (std::int64_t i = 0; g.inner > 1 && i < run; ++i)
        for (std::int64_t k = 0; k < g.inner; ++k) to[i * g.inner + k] = (first + index[i * g.inner + k]) * g.inner + k;
      to += run * g.inner, index += run * g.inner, r += run;
    }
  });
}

void AxisPositions::batch(Batching& b) {
  PositionsAttrs a = b.attrs<PositionsAttrs>();
  ++a.axis;
  b.apply(a);
}

Tensor gather(const Arg& x, const Arg& indices, Axis axis) {
  const SiteScope scope(x.site());
  const int at = detail::axis_of("gather", {"x", x}, axis);
  return apply<Gather>({x.tensor(), indices.tensor(i64)}, AxisAttrs{at});
}

Tensor check_indices(const Arg& indices, std::int64_t n, std::int64_t low) {
  const SiteScope scope(indices.site());
  return apply<CheckIndices>({indices.tensor(i64)}, CheckAttrs{n, low});
}

Tensor one_hot(const Arg& indices, std::int64_t depth, DType dtype) {
  return composed("one_hot", {{"idx", indices}}, [&] {
    if (depth < 0) throw ShapeError(fmt::format("depth {} is negative", depth));
    const Tensor i = check_indices(indices.tensor(i64), depth);
    return cast(equal(expand(i, -1), cast(arange(depth), i.dtype())), dtype);
  });
}

// ---- along an axis, each element by an index of its own: over the flattened tensor ----
namespace {

struct Flat {
  Tensor positions;  // in x's row-major order, of the indices' shape
  Shape shape;       // of the result: x's, with the indices' extent along the axis
};

Flat flat_positions(const Tensor& x, const Tensor& indices, std::int64_t axis) {
  check_index_type(indices.type());
  const int at = normal_axis(axis, x.rank());
  if (indices.rank() != x.rank())
    throw ShapeError(fmt::format("indices of rank {} for x of rank {}", indices.rank(), x.rank()));
  Flat f{{}, x.shape()};
  f.shape[at] = indices.shape()[at];
  const std::int64_t n = x.shape()[at];
  const ReduceGeometry g(x.shape(), {at, at + 1});
  f.positions = apply<AxisPositions>({broadcast_to(indices, f.shape)}, PositionsAttrs{at, n, g.outer});
  return f;
}

}  // namespace

Tensor take_along_axis(const Arg& x, const Arg& indices, Axis axis) {
  return composed("take_along_axis", {{"x", x}, {"idx", indices}}, [&] {
    const Tensor t = x.tensor();
    const Flat f = flat_positions(t, indices.tensor(i64), axis);
    return gather(reshape(t, {t.size()}), f.positions);
  });
}

Tensor put_along_axis(const Arg& x, const Arg& indices, const Arg& values, Axis axis) {
  return composed("put_along_axis", {{"x", x}, {"idx", indices}, {"val", values}}, [&] {
    const Tensor t = x.tensor();
    const Flat f = flat_positions(t, indices.tensor(i64), axis);
    const Tensor v = broadcast_to(values.tensor(t.dtype()), f.shape);
    return reshape(scatter_set(reshape(t, {t.size()}), f.positions, v), t.shape());
  });
}

Tensor index_add(const Arg& x, Axis axis, const Arg& index, const Arg& source, double alpha) {
  return composed("index_add", {{"x", x}, {"idx", index}, {"src", source}}, [&] {
    const Tensor t = x.tensor(), i = index.tensor(i64), s = source.tensor(t.dtype());
    if (i.rank() != 1) throw ShapeError(fmt::format("the index has rank {}, not 1", i.rank()));
    return scatter_add(t, i, alpha == 1 ? s : s * alpha, axis);
  });
}

Tensor masked_fill(const Arg& x, const Arg& mask, const Arg& value) {
  return composed("masked_fill", {{"x", x}, {"mask", mask}, {"val", value}}, [&] {
    const Tensor t = x.tensor(), m = mask.tensor(DType::boolean), v = value.tensor(t.dtype());
    if (v.rank() > 0) throw ShapeError(fmt::format("the value has rank {}, not 0", v.rank()), "where(mask, value, x)");
    if (broadcast_shapes(t.shape(), m.shape()) != t.shape())
      throw ShapeError(fmt::format("the mask {} does not broadcast to {}", m.shape().text(), t.shape().text()));
    return where(m, v, t);
  });
}

}  // namespace weft
