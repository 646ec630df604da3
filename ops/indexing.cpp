#include "indexing.h"

#include <fmt/format.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "../tensor/create.h"
#include "apply.h"
#include "defs/indexing.h"
#include "defs/reduce.h"
#include "manipulate.h"
#include "math.h"
#include "recorder.h"

namespace weft {
namespace detail {

std::vector<std::int64_t> read_indices(const View& view, std::int64_t n, std::int64_t low) {
  std::vector<std::int64_t> r(static_cast<std::size_t>(count(view.shape)));
  copy_elements(view, {i64, view.shape, contiguous_strides(view.shape), r.data()});
  for (std::size_t k = 0; k < r.size(); ++k) {
    if (r[k] < low || r[k] >= n) {
      std::string position;
      std::int64_t rest = static_cast<std::int64_t>(k);
      Ints at = view.shape;
      for (int i = at.size(); i-- > 0;) {
        at[i] = rest % view.shape[i];
        rest /= view.shape[i];
      }
      throw IndexError(n == 0 ? fmt::format("index {} at {} of an axis of no elements", r[k], at.text())
                              : fmt::format("index {} at {} must be within [{}, {}]", r[k], at.text(), low, n - 1));
    }
    if (r[k] < 0) r[k] += n;
  }
  return r;
}

const std::byte* in_order(const View& view, Storage& copy) {
  if (view.contiguous()) return view.as<std::byte>();
  copy = Storage::allocate(static_cast<std::size_t>(count(view.shape)) * size_of(view.dtype));
  copy_elements(view, {view.dtype, view.shape, contiguous_strides(view.shape), copy.data()});
  return copy.data();
}

}  // namespace detail

namespace {

using detail::in_order;
using detail::read_indices;

void check_index_type(const Type& t) {
  if (t.dtype != i32 && t.dtype != i64)
    throw DTypeError(fmt::format("indices are {}, not i32 or i64", name_of(t.dtype)), "cast(indices, i64)");
}

// x's shape with axis `axis` replaced by the indices' shape.
Shape picked_shape(const Shape& x, const Shape& indices, int axis) {
  normal_axis(axis, x.size());
  Shape s;
  for (int i = 0; i < axis; ++i) s.push_back(x[i]);
  for (std::int64_t n : indices) s.push_back(n);
  for (int i = axis + 1; i < x.size(); ++i) s.push_back(x[i]);
  return s;
}

template <class F> Tensor with_axis(const char* name, const Arg& x, std::int64_t axis, F f) {
  const Tensor t = x.tensor();
  int at = 0;
  if (t.defined()) {
    try {
      at = normal_axis(axis, t.rank());
    } catch (Error& e) {
      e.locate(name, {describe_operand("x", t)}, site_text(x.site()));
      throw;
    }
  }
  return f(t, at);
}

}  // namespace

void Gather::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  check_index_type(*in[1]);
  out[0] = {in[0]->dtype, picked_shape(in[0]->shape, in[1]->shape, attrs.as<AxisAttrs>().axis)};
}

void Gather::run(const Attrs& attrs, Views in, Views out) {
  const int axis = attrs.as<AxisAttrs>().axis;
  const ReduceGeometry g(in[0].shape, {axis, axis + 1});
  const auto indices = read_indices(in[1], g.n, -g.n);
  if (count(out[0].shape) == 0) return;
  Storage copy;
  const std::byte* x = in_order(in[0], copy);
  const std::size_t bytes = static_cast<std::size_t>(g.inner) * size_of(in[0].dtype);
  std::byte* y = out[0].as<std::byte>();
  for (std::int64_t o = 0; o < g.outer; ++o)
    for (const std::int64_t i : indices) {
      if (bytes) std::memcpy(y, x + static_cast<std::size_t>(o * g.n + i) * bytes, bytes);
      y += bytes;
    }
}

void Gather::vjp(Backward& b) {
  if (!b.wants(0)) return;
  const Type& x = b.in_type(0);
  const Tensor zeros = broadcast_to(Arg(0).tensor(x.dtype), x.shape);
  b.give(0, scatter_add(zeros, b.in(1), b.grad(), b.attrs<AxisAttrs>().axis));
}

namespace {

// Indices of each example's own: all examples' axes end to end are one long axis. x [b, pre, n, post] becomes
// [b * n, pre, post] and example i's index k becomes i * n + k.
Tensor long_axis(const Tensor& x, int axis) {
  Ints order = {0, axis + 1};
  for (int i = 1; i < x.rank(); ++i)
    if (i != axis + 1) order.push_back(i);
  const Tensor t = transpose(x, order);
  Shape shape = t.shape();
  shape.erase(0);
  shape[0] *= t.shape()[0];
  return reshape(t, shape);
}

Tensor long_indices(const Batching& b, std::int64_t n) {
  const Tensor i = cast(b.in(1), i64);
  const Tensor within = check_indices(where(i < 0, i + n, i), n);
  std::vector<std::int64_t> starts;
  for (std::int64_t k = 0; k < b.size(); ++k) starts.push_back(k * n);
  Shape column = Shape::filled(i.rank(), 1);
  column[0] = b.size();
  return within + from_vector(starts, column);
}

// Axes [from, from + count) moved to begin at `to`.
Tensor move_axes(const Tensor& x, int from, int count, int to) {
  Ints rest, order;
  for (int i = 0; i < x.rank(); ++i)
    if (i < from || i >= from + count) rest.push_back(i);
  for (int i = 0; i <= rest.size(); ++i) {
    if (i == to)
      for (int k = 0; k < count; ++k) order.push_back(from + k);
    if (i < rest.size()) order.push_back(rest[i]);
  }
  return transpose(x, order);
}

}  // namespace

void Gather::batch(Batching& b) {
  const int axis = b.attrs<AxisAttrs>().axis, picked = b.shape(1).size();
  if (!b.batched(1)) return b.give(gather(b.in(0), b.in(1), axis + 1));
  if (!b.batched(0)) return b.give(move_axes(gather(b.in(0), b.in(1), axis), axis, 1, 0));
  const Tensor rows = gather(long_axis(b.in(0), axis), long_indices(b, b.shape(0)[axis]));  // [b, indices, pre, post]
  b.give(move_axes(rows, 1, picked, 1 + axis));
}

void ScatterAdd::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  check_index_type(*in[1]);
  if (in[0]->dtype == DType::boolean) throw DTypeError("no meaning for bool", "cast it to a number type");
  if (in[2]->dtype != in[0]->dtype)
    throw DTypeError(fmt::format("dtypes differ: {} and {}", name_of(in[0]->dtype), name_of(in[2]->dtype)));
  const Shape wanted = picked_shape(in[0]->shape, in[1]->shape, attrs.as<AxisAttrs>().axis);
  if (in[2]->shape != wanted)
    throw ShapeError(fmt::format("updates are {}, not {}", in[2]->shape.text(), wanted.text()));
  out[0] = *in[0];
}

void ScatterAdd::run(const Attrs& attrs, Views in, Views out) {
  const int axis = attrs.as<AxisAttrs>().axis;
  const ReduceGeometry g(in[0].shape, {axis, axis + 1});
  const auto indices = read_indices(in[1], g.n, -g.n);
  if (in[0].data != out[0].data) copy_elements(in[0], out[0]);
  if (count(in[2].shape) == 0) return;
  Storage copy;
  const std::byte* updates = in_order(in[2], copy);
  visit_dtype(in[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* u = reinterpret_cast<const T*>(updates);
    T* y = out[0].as<T>();
    for (std::int64_t o = 0; o < g.outer; ++o)
      for (const std::int64_t i : indices) {
        T* row = y + (o * g.n + i) * g.inner;
        for (std::int64_t c = 0; c < g.inner; ++c) {
          if constexpr (std::is_integral_v<T>)
            row[c] = static_cast<T>(static_cast<std::uint64_t>(row[c]) + static_cast<std::uint64_t>(u[c]));
          else
            row[c] = static_cast<T>(row[c] + u[c]);
        }
        u += g.inner;
      }
  });
}

void ScatterAdd::vjp(Backward& b) {
  b.give(0, b.grad());
  if (b.wants(2)) b.give(2, gather(b.grad(), b.in(1), b.attrs<AxisAttrs>().axis));
}

void ScatterAdd::batch(Batching& b) {
  const int axis = b.attrs<AxisAttrs>().axis, picked = b.shape(1).size();
  if (!b.batched(1)) return b.give(scatter_add(b.front(0), b.in(1), b.front(2), axis + 1));
  const Tensor x = b.front(0);
  const std::int64_t n = x.shape()[axis + 1];
  Tensor sums = scatter_add(long_axis(x, axis), long_indices(b, n), move_axes(b.front(2), 1 + axis, picked, 1));
  Shape split = sums.shape();
  split[0] = n;
  split.insert(0, b.size());
  b.give(move_axes(reshape(sums, split), 1, 1, 1 + axis));
}

void CheckIndices::infer(const Attrs&, Types in, std::span<Type> out) {
  check_index_type(*in[0]);
  out[0] = *in[0];
}

void CheckIndices::run(const Attrs& attrs, Views in, Views out) {
  read_indices(in[0], attrs.as<CheckAttrs>().n, 0);
  copy_elements(in[0], out[0]);
}

Tensor gather(const Arg& x, const Arg& indices, std::int64_t axis) {
  const SiteScope scope(x.site());
  return with_axis("gather", x, axis, [&](const Tensor& t, int at) {
    return apply<Gather>({t, indices.tensor(i64)}, AxisAttrs{at});
  });
}

Tensor scatter_add(const Arg& x, const Arg& indices, const Arg& updates, std::int64_t axis) {
  const SiteScope scope(x.site());
  return with_axis("scatter_add", x, axis, [&](const Tensor& t, int at) {
    return apply<ScatterAdd>({t, indices.tensor(i64), updates.tensor(t.defined() ? t.dtype() : f32)}, AxisAttrs{at});
  });
}

Tensor check_indices(const Arg& indices, std::int64_t n) {
  const SiteScope scope(indices.site());
  return apply<CheckIndices>({indices.tensor(i64)}, CheckAttrs{n});
}

Tensor one_hot(const Arg& indices, std::int64_t depth, DType dtype) {
  const SiteScope scope(indices.site());
  const Tensor given = indices.tensor(i64);
  try {
    if (depth < 0) throw ShapeError(fmt::format("depth {} is negative", depth));
    const Tensor i = check_indices(given, depth);
    Tensor classes = Tensor::allocate({i.dtype(), {depth}});
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(depth));
    std::iota(numbers.begin(), numbers.end(), 0);
    copy_elements({i64, {depth}, {1}, numbers.data()}, classes.view());
    return cast(equal(expand(i, -1), classes), dtype);
  } catch (Error& e) {
    e.relocate("one_hot", {describe_operand("idx", given)}, site_text(SiteScope::current()));
    throw;
  }
}

}  // namespace weft
