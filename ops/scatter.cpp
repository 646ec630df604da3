// scatter_add, scatter_set, scatter_max, scatter_min: one loop, four ways to combine.
#include <fmt/format.h>

#include <algorithm>

#include "../tensor/create.h"
#include "../tensor/parallel.h"
#include "apply.h"
#include "composition.h"
#include "defs/binary.h"
#include "defs/indexing.h"
#include "defs/reduce.h"
#include "index_list.h"
#include "manipulate.h"
#include "math.h"
#include "mismatch.h"

namespace weft {
namespace {

// Threads own columns or outer rows: each element takes its updates in index order, whatever their number.
// `loops`: `combine` for whole rows, of the types that have one.
template <class Combine>
void run_scatter(const Attrs& attrs, Views in, Views out, Combine combine, const NativeLoops* loops = nullptr) {
  const int axis = attrs.as<AxisAttrs>().axis;
  const ReduceGeometry g(in[0].shape, {axis, axis + 1});
  const detail::IndexList indices(in[1], g.n, -g.n);
  if (in[0].data != out[0].data) copy_elements(in[0], out[0]);
  const std::int64_t updates = count(in[2].shape);
  if (updates == 0) return;
  Storage copy;
  const std::byte* const from = detail::in_order(in[2], copy);
  visit_dtype(in[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* const u = reinterpret_cast<const T*>(from);
    T* const y = out[0].as<T>();
    const ElementwiseLoop loop = loops && g.inner >= 16 ? loops->by_type[static_cast<int>(in[0].dtype)] : nullptr;
    const int threads = updates < 1 << 15 ? 1 : num_threads();
    const std::int64_t panel = std::max<std::int64_t>(64, (g.inner + threads - 1) / threads),
                       panels = (g.inner + panel - 1) / panel;
    parallel_for(g.outer * panels, threads, [&](std::int64_t task) {
      const std::int64_t o = task / panels, c = task % panels * panel, width = std::min(panel, g.inner - c);
      const T* update = u + o * std::ssize(indices) * g.inner + c;
      for (const std::int64_t i : indices) {
        T* const row = y + (o * g.n + i) * g.inner + c;
        if (loop) {
          const void* const operands[] = {row, update};
          loop(operands, row, width, false);
        } else {
          for (std::int64_t k = 0; k < width; ++k) row[k] = combine(row[k], update[k]);
        }
        update += g.inner;
      }
    });
  });
}

void batch_scatter(Batching& b, Tensor (*scatter)(const Arg&, const Arg&, const Arg&, Axis)) {
  const int axis = b.attrs<AxisAttrs>().axis, picked = b.shape(1).size();
  if (!b.batched(1)) return b.give(scatter(b.front(0), b.in(1), b.front(2), axis + 1));
  const Tensor x = b.front(0);
  const std::int64_t n = x.shape()[axis + 1];
  const Tensor updates = detail::move_axes(b.front(2), 1 + axis, picked, 1);
  const Tensor result = scatter(detail::long_axis(x, axis), detail::long_indices(b, n), updates, 0);
  Shape split = result.shape();
  split[0] = n;
  split.insert(0, b.size());
  b.give(detail::move_axes(reshape(result, split), 1, 1, 1 + axis));
}

// Where x, and where the updates, are the extremum; and how many are, for each element of the result.
struct Hits {
  Tensor x, updates, count;
  template <class Rule> Hits(const Rule& r, int axis) {
    const DType t = r.out().dtype();
    x = cast(equal(r.in(0), r.out()), t);
    updates = cast(equal(r.in(2), gather(r.out(), r.in(1), axis)), t);
    count = scatter_add(x, r.in(1), updates, axis);
  }
};

void vjp_extremum(Backward& b) {
  const int axis = b.attrs<AxisAttrs>().axis;
  const Hits hits(b, axis);
  const Tensor share = b.grad() / hits.count;
  if (b.wants(0)) b.give(0, hits.x * share);
  if (b.wants(2)) b.give(2, hits.updates * gather(share, b.in(1), axis));
}

void jvp_extremum(Forward& f) {
  const int axis = f.attrs<AxisAttrs>().axis;
  const Hits hits(f, axis);
  f.give(0, scatter_add(hits.x * f.tangent(0), f.in(1), hits.updates * f.tangent(2), axis) / hits.count);
}

void infer_scatter(const Attrs& attrs, Types in, std::span<Type> out) {
  detail::check_index_type(*in[1]);
  if (in[2]->dtype != in[0]->dtype) throw detail::dtypes_differ(in[0]->dtype, in[2]->dtype);
  const Shape wanted = detail::picked_shape(in[0]->shape, in[1]->shape, attrs.as<AxisAttrs>().axis);
  if (in[2]->shape != wanted)
    throw ShapeError(fmt::format("updates are {}, not {}", in[2]->shape.text(), wanted.text()));
  out[0] = *in[0];
}

Tensor scatter(const Op& op, const Arg& x, const Arg& indices, const Arg& updates, std::int64_t axis) {
  const SiteScope scope(x.site());
  const int at = detail::axis_of(op.name.data(), {"x", x}, axis);
  const Tensor t = x.tensor(), in[] = {t, indices.tensor(i64), updates.tensor(t.dtype())};
  return apply(op, AxisAttrs{at}, in);
}

}  // namespace

void Scatter::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  detail::check_index_type(*in[1]);
  if (in[0]->dtype == DType::boolean) throw DTypeError("no meaning for bool", "cast it to a number type");
  infer_scatter(attrs, in, out);
}

void ScatterAdd::run(const Attrs& attrs, Views in, Views out) {
  if (const DType wide = compute_type(out[0].dtype); wide != out[0].dtype) {  // added up in f32, rounded once
    Storage copies[2];
    const auto of_f32 = [&](const Shape& shape, Storage& copy) {
      copy = Storage::allocate(static_cast<std::size_t>(count(shape)) * size_of(wide));
      return View{wide, shape, contiguous_strides(shape), copy.data()};
    };
    const View x = of_f32(in[0].shape, copies[0]), updates = of_f32(in[2].shape, copies[1]),
               operands[] = {x, in[1], updates};
    copy_elements(in[0], x);
    copy_elements(in[2], updates);
    run(attrs, operands, std::span(&x, 1));
    return copy_elements(x, out[0]);
  }
  run_scatter(
      attrs, in, out,
      []<class T>(T a, T b) {
        if constexpr (std::is_integral_v<T>)
          return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
        else
          return static_cast<T>(a + b);
      },
      op_of<Add>().loops());
}

void ScatterAdd::vjp(Backward& b) {
  b.give(0, b.grad());
  if (b.wants(2)) b.give(2, gather(b.grad(), b.in(1), b.attrs<AxisAttrs>().axis));
}

void ScatterAdd::batch(Batching& b) { batch_scatter(b, scatter_add); }

void ScatterSet::infer(const Attrs& attrs, Types in, std::span<Type> out) { infer_scatter(attrs, in, out); }

void ScatterSet::run(const Attrs& attrs, Views in, Views out) {
  run_scatter(attrs, in, out, []<class T>(T, T b) { return b; });
}

// An update that a later one of the same index covers has no gradient.
void ScatterSet::vjp(Backward& b) {
  const int axis = b.attrs<AxisAttrs>().axis;
  const Tensor &grad = b.grad(), &indices = b.in(1);
  const Type& x = b.in_type(0);
  Shape picked_ones = Shape::filled(b.in_type(2).shape.size(), 1);
  for (int i = 0; i < indices.rank(); ++i) picked_ones[axis + i] = indices.shape()[i];
  if (b.wants(0)) {
    const Tensor zeros = broadcast_to(Arg(0).tensor(x.dtype), b.in_type(2).shape);
    b.give(0, scatter_set(grad, indices, zeros, axis));
  }
  if (b.wants(2)) {
    const Tensor order = reshape(arange(indices.size()), indices.shape());
    const Tensor none = broadcast_to(Arg(-1).tensor(i64), {x.shape[axis]});
    const Tensor last = gather(scatter_set(none, indices, order), indices);
    b.give(2, where(reshape(equal(last, order), picked_ones), gather(grad, indices, axis), 0));
  }
}

void ScatterSet::batch(Batching& b) { batch_scatter(b, scatter_set); }

void ScatterMax::run(const Attrs& attrs, Views in, Views out) {
  run_scatter(
      attrs, in, out, []<class T>(T a, T b) { return b <= a || a != a ? a : b; }, op_of<Maximum>().loops());
}
void ScatterMin::run(const Attrs& attrs, Views in, Views out) {
  run_scatter(
      attrs, in, out, []<class T>(T a, T b) { return a <= b || a != a ? a : b; }, op_of<Minimum>().loops());
}
void ScatterMax::vjp(Backward& b) { vjp_extremum(b); }
void ScatterMin::vjp(Backward& b) { vjp_extremum(b); }
void ScatterMax::jvp(Forward& f) { jvp_extremum(f); }
void ScatterMin::jvp(Forward& f) { jvp_extremum(f); }
void ScatterMax::batch(Batching& b) { batch_scatter(b, scatter_max); }
void ScatterMin::batch(Batching& b) { batch_scatter(b, scatter_min); }

Tensor scatter_add(const Arg& x, const Arg& indices, const Arg& updates, Axis axis) {
  return scatter(op_of<ScatterAdd>(), x, indices, updates, axis);
}
Tensor scatter_set(const Arg& x, const Arg& indices, const Arg& updates, Axis axis) {
  return scatter(op_of<ScatterSet>(), x, indices, updates, axis);
}
Tensor scatter_max(const Arg& x, const Arg& indices, const Arg& updates, Axis axis) {
  return scatter(op_of<ScatterMax>(), x, indices, updates, axis);
}
Tensor scatter_min(const Arg& x, const Arg& indices, const Arg& updates, Axis axis) {
  return scatter(op_of<ScatterMin>(), x, indices, updates, axis);
}

}  // namespace weft
