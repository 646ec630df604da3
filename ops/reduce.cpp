#include "reduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "../tensor/convert.h"
#include "../tensor/parallel.h"
#include "apply.h"
#include "composition.h"
#include "defs/reduce.h"
#include "defs/shape.h"
#include "indexing.h"
#include "kernels/reduce.h"
#include "manipulate.h"
#include "recorder.h"

namespace weft {
namespace {

void infer_reduction(const Attrs& attrs, Types in, std::span<Type> out, bool boolean, bool of_nothing) {
  const auto& a = attrs.as<ReduceAttrs>();
  if (boolean != (in[0]->dtype == DType::boolean))
    throw DTypeError(fmt::format("no meaning for {}", name_of(in[0]->dtype)),
                     boolean ? "compare it, or cast it to bool" : "cast it to a number type");
  if (in[0]->dtype != compute_type(in[0]->dtype))
    throw DTypeError(fmt::format("no meaning for {}", name_of(in[0]->dtype)), "reduce it in f32, and cast the result");
  if (a.begin < 0 || a.end < a.begin || a.end > in[0]->shape.size())
    throw IndexError(fmt::format("axes {} to {} of rank {}", a.begin, a.end - 1, in[0]->shape.size()));
  const ReduceGeometry g(in[0]->shape, a);
  if (!of_nothing && g.n == 0 && g.outer > 0 && g.inner > 0)
    throw ArgumentError(fmt::format("of no elements: {} over axes {} to {}", in[0]->shape.text(), a.begin, a.end - 1));
  Shape shape;
  for (int i = 0; i < in[0]->shape.size(); ++i)
    if (i < a.begin || i >= a.end) shape.push_back(in[0]->shape[i]);
  out[0] = {in[0]->dtype, shape};
}

// x (of the reduced shape) back over the reduced axes of `shape`.
Tensor spread(const Tensor& x, const ReduceAttrs& a, const Shape& shape) {
  Shape ones = shape;
  for (int i = a.begin; i < a.end; ++i) ones[i] = 1;
  return broadcast_to(reshape(x, ones), shape);
}

// At ties the gradient is split evenly.
void vjp_extremum(Backward& b) {
  const auto& a = b.attrs<ReduceAttrs>();
  const Tensor& x = b.in();
  const Tensor hit = cast(equal(x, spread(b.out(), a, x.shape())), x.dtype());
  const Tensor share = b.grad() / apply<Sum>({hit}, a);
  b.give(0, hit * spread(share, a, x.shape()));
}

void jvp_extremum(Forward& f) {
  const auto& a = f.attrs<ReduceAttrs>();
  const Tensor& x = f.in();
  const Tensor hit = cast(equal(x, spread(f.out(), a, x.shape())), x.dtype());
  f.give(0, apply<Sum>({hit * f.tangent()}, a) / apply<Sum>({hit}, a));
}

// The product of the elements before each one along the middle axis of [outer, n, inner], by doubling: no division, so
// that it is exact at zeros and to any order.
Tensor exclusive_product(const Tensor& x, bool from_back) {
  const std::int64_t n = x.shape()[1];
  const auto shift = [&](const Tensor& t, std::int64_t by) {
    const Tensor ones = broadcast_to(Arg(1).tensor(t.dtype()), {t.shape()[0], by, t.shape()[2]});
    return from_back ? concat({slice_axis(t, 1, by, n), ones}, 1) : concat({ones, slice_axis(t, 1, 0, n - by)}, 1);
  };
  Tensor p = shift(x, 1);
  for (std::int64_t by = 1; by < n; by *= 2) p = p * shift(p, by);
  return p;
}

// For each element, the product of the others that are reduced with it.
Tensor product_of_others(const Tensor& t, const ReduceAttrs& a) {
  const ReduceGeometry g(t.shape(), a);
  const Tensor x = reshape(t, {g.outer, g.n, g.inner});
  return reshape(exclusive_product(x, false) * exclusive_product(x, true), t.shape());
}

Tensor reduce(const Op& op, const Arg& x, const Axes& axes, bool keepdims) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  if (!t.defined()) return apply(op, ReduceAttrs{0, 0}, std::span(&t, 1));
  Ints list;
  try {
    if (axes.list)
      list = normal_axes(*axes.list, t.rank());
    else
      for (int i = 0; i < t.rank(); ++i) list.push_back(i);
  } catch (Error& e) {
    e.locate(op.name, {describe_operand("in0", t)}, site_text(x.site()));
    throw;
  }
  // In f32 for the 16-bit floats, rounded once.
  Tensor r = t.dtype() == compute_type(t.dtype()) ? t : cast(t, compute_type(t.dtype()));
  bool any_run = false;
  for (int i = list.size(); i-- > 0;) {
    const int end = static_cast<int>(list[i]) + 1;
    while (i > 0 && list[i - 1] == list[i] - 1) --i;
    r = apply(op, ReduceAttrs{static_cast<int>(list[i]), end}, std::span(&r, 1));
    any_run = true;
  }
  if (!any_run) r = apply(op, ReduceAttrs{t.rank(), t.rank()}, std::span(&r, 1));  // over no axes: each element alone
  if (keepdims) {
    Shape shape = t.shape();
    for (std::int64_t axis : list) shape[static_cast<int>(axis)] = 1;
    r = reshape(r, shape);
  }
  return r.dtype() == t.dtype() ? r : cast(r, t.dtype());
}

// Whether `candidate` takes the place of the best so far: a NaN is never replaced, and replaces all else.
template <bool largest, class T> bool is_better(const T& candidate, const T& best) {
  return best == best && ((largest ? candidate > best : candidate < best) || candidate != candidate);
}

// The first of the best of n contiguous elements. The vectors of the reduction find what that is and in which block.
template <bool largest, class T> std::int64_t best_of_row(const T* x, std::int64_t n) {
  constexpr bool widened = std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>;
  using Compute = std::conditional_t<widened, float, std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>;
  constexpr std::int64_t block = 1024;
  Compute best{}, found;
  std::int64_t first = -1;
  Compute wide[widened ? block : 1];
  const auto compute = [&](std::int64_t b) {
    if constexpr (!widened) return reinterpret_cast<const Compute*>(x + b);
    detail::convert_elements(dtype_of<T>, x + b, 1, f32, wide, 1, std::min(block, n - b));
    return static_cast<const Compute*>(wide);
  };
  for (std::int64_t b = 0; b < n; b += block) {
    reduce_block(largest ? Reduction::max : Reduction::min, dtype_of<Compute>, compute(b), &found,
                 std::min(block, n - b));
    if (first < 0 || is_better<largest>(found, best)) best = found, first = b;
  }
  const Compute* const p = compute(first);
  std::int64_t r = 0;
  while (best == best ? p[r] != best : p[r] == p[r]) ++r;
  return first + r;
}

template <bool largest> void run_arg_reduce(const Attrs& attrs, Views in, Views out) {
  const int axis = attrs.as<ArgReduceAttrs>().axis;
  const ReduceGeometry g(in[0].shape, {axis, axis + 1});
  auto* result = out[0].as<std::int64_t>();
  if (count(out[0].shape) == 0) return;
  Storage copy;
  const std::byte* const data = detail::in_order(in[0], copy);
  constexpr std::int64_t per_task = 1 << 14, short_row = 32;
  visit_dtype(in[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* const x = reinterpret_cast<const T*>(data);
    if (g.inner == 1 && g.n > short_row) {
      // Pieces of rows, then of each row the first of the best.
      constexpr std::int64_t piece = 1 << 16;
      const std::int64_t pieces = (g.n + piece - 1) / piece, units = g.outer * pieces,
                         part = std::max<std::int64_t>(1, per_task / g.n);
      std::vector<std::int64_t> found(pieces > 1 ? static_cast<std::size_t>(units) : 0);
      std::int64_t* const index = pieces > 1 ? found.data() : result;
      parallel_for((units + part - 1) / part, num_threads(), [&](std::int64_t task) {
        for (std::int64_t u = task * part; u < std::min(units, (task + 1) * part); ++u) {
          const std::int64_t begin = u % pieces * piece;
          index[u] = begin + best_of_row<largest>(x + u / pieces * g.n + begin, std::min(piece, g.n - begin));
        }
      });
      for (std::int64_t o = 0; o < g.outer && pieces > 1; ++o) {
        const T* const row = x + o * g.n;
        result[o] = found[static_cast<std::size_t>(o * pieces)];
        for (std::int64_t k = 1; k < pieces; ++k)
          if (const std::int64_t i = found[static_cast<std::size_t>(o * pieces + k)];
              is_better<largest>(row[i], row[result[o]]))
            result[o] = i;
      }
      return;
    }
    // Columns side by side, so that rows are read as they lie.
    const std::int64_t panel = std::clamp<std::int64_t>(per_task / g.n, 16, 512),
                       panels = (g.inner + panel - 1) / panel, units = g.outer * panels,
                       part = std::max<std::int64_t>(1, per_task / (g.n * std::min(panel, g.inner)));
    parallel_for((units + part - 1) / part, num_threads(), [&](std::int64_t task) {
      for (std::int64_t u = task * part; u < std::min(units, (task + 1) * part); ++u) {
        const std::int64_t c = u % panels * panel, width = std::min(panel, g.inner - c);
        const T* row = x + u / panels * g.n * g.inner + c;
        std::int64_t* const index = result + u / panels * g.inner + c;
        T best[512];
        for (std::int64_t k = 0; k < width; ++k) best[k] = row[k], index[k] = 0;
        for (std::int64_t r = 1; r < g.n; ++r) {
          row += g.inner;
          for (std::int64_t k = 0; k < width; ++k)
            if (is_better<largest>(row[k], best[k])) best[k] = row[k], index[k] = r;
        }
      }
    });
  });
}

void infer_arg_reduce(const Attrs& attrs, Types in, std::span<Type> out) {
  const int axis = normal_axis(attrs.as<ArgReduceAttrs>().axis, in[0]->shape.size());
  if (in[0]->shape[axis] == 0 && count(in[0]->shape) == 0)
    throw ArgumentError(fmt::format("of no elements: {} along axis {}", in[0]->shape.text(), axis));
  Shape shape = in[0]->shape;
  shape.erase(axis);
  out[0] = {i64, shape};
}

ValuesIndices with_indices(const char* name, Tensor (*index_of)(const Arg&, Axis, Flag), const Arg& x,
                           std::int64_t axis, bool keepdims) {
  return detail::composed(name, {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (t.dtype() == DType::boolean) throw DTypeError("no meaning for bool", "cast it to a number type");  // as of max
    const Tensor i = index_of(t, axis, true), v = take_along_axis(t, i, axis);
    return keepdims ? ValuesIndices{v, i} : ValuesIndices{squeeze(v, Ints{axis}), squeeze(i, Ints{axis})};
  });
}

Tensor arg_reduce(const Op& op, const Arg& x, std::int64_t axis, bool keepdims) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  int at = 0;
  if (t.defined()) {
    try {
      at = normal_axis(axis, t.rank());
    } catch (Error& e) {
      e.locate(op.name, {describe_operand("in0", t)}, site_text(x.site()));
      throw;
    }
  }
  const Tensor r = apply(op, ArgReduceAttrs{at}, std::span(&t, 1));
  return keepdims ? expand(r, at) : r;
}

}  // namespace

void Sum::infer(const Attrs& a, Types in, std::span<Type> out) { infer_reduction(a, in, out, false, true); }
void Prod::infer(const Attrs& a, Types in, std::span<Type> out) { infer_reduction(a, in, out, false, true); }
void Max::infer(const Attrs& a, Types in, std::span<Type> out) { infer_reduction(a, in, out, false, false); }
void Min::infer(const Attrs& a, Types in, std::span<Type> out) { infer_reduction(a, in, out, false, false); }
void Any::infer(const Attrs& a, Types in, std::span<Type> out) { infer_reduction(a, in, out, true, true); }
void All::infer(const Attrs& a, Types in, std::span<Type> out) { infer_reduction(a, in, out, true, true); }

void Sum::vjp(Backward& b) { b.give(0, spread(b.grad(), b.attrs<ReduceAttrs>(), b.in_type().shape)); }
void Max::vjp(Backward& b) { vjp_extremum(b); }
void Min::vjp(Backward& b) { vjp_extremum(b); }

void Prod::vjp(Backward& b) {
  const auto& a = b.attrs<ReduceAttrs>();
  if (b.in().size() == 0) return b.give(0, detail::zeros_like(b.in()));
  b.give(0, spread(b.grad(), a, b.in_type().shape) * product_of_others(b.in(), a));
}

void Max::jvp(Forward& f) { jvp_extremum(f); }
void Min::jvp(Forward& f) { jvp_extremum(f); }

void Prod::jvp(Forward& f) {
  const auto& a = f.attrs<ReduceAttrs>();
  if (f.in().size() == 0) return f.give(0, detail::zeros_like(f.out()));
  f.give(0, apply<Sum>({product_of_others(f.in(), a) * f.tangent()}, a));
}

void ArgMax::infer(const Attrs& a, Types in, std::span<Type> out) { infer_arg_reduce(a, in, out); }
void ArgMin::infer(const Attrs& a, Types in, std::span<Type> out) { infer_arg_reduce(a, in, out); }
void ArgMax::run(const Attrs& a, Views in, Views out) { run_arg_reduce<true>(a, in, out); }
void ArgMin::run(const Attrs& a, Views in, Views out) { run_arg_reduce<false>(a, in, out); }

Tensor sum(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Sum>(), x, axes, keepdims); }
Tensor prod(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Prod>(), x, axes, keepdims); }
Tensor max(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Max>(), x, axes, keepdims); }
Tensor min(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Min>(), x, axes, keepdims); }
Tensor any(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Any>(), x, axes, keepdims); }
Tensor all(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<All>(), x, axes, keepdims); }
Tensor argmax(const Arg& x, Axis axis, Flag keepdims) { return arg_reduce(op_of<ArgMax>(), x, axis, keepdims); }
Tensor argmin(const Arg& x, Axis axis, Flag keepdims) { return arg_reduce(op_of<ArgMin>(), x, axis, keepdims); }

Tensor argmax(const Arg& x) {
  return detail::composed("argmax", {{"in0", x}}, [&] { return argmax(reshape(x, {-1}), 0); });
}
Tensor argmin(const Arg& x) {
  return detail::composed("argmin", {{"in0", x}}, [&] { return argmin(reshape(x, {-1}), 0); });
}

ValuesIndices max_with_indices(const Arg& x, Axis axis, Flag keepdims) {
  return with_indices("max_with_indices", argmax, x, axis, keepdims);
}
ValuesIndices min_with_indices(const Arg& x, Axis axis, Flag keepdims) {
  return with_indices("min_with_indices", argmin, x, axis, keepdims);
}

}  // namespace weft
