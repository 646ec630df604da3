#include "cumulative.h"

#include <fmt/format.h>

#include "apply.h"
#include "composition.h"
#include "defs/cumulative.h"
#include "defs/reduce.h"
#include "indexing.h"
#include "kernels/cumulative.h"
#include "manipulate.h"
#include "math.h"
#include "mismatch.h"

namespace weft {
namespace {

CumulativeShape shape_of(const Attrs& attrs, const View& x) {
  const auto& [axis, reverse] = attrs.as<CumulativeAttrs>();
  const ReduceGeometry g(x.shape, {axis, axis + 1});
  return {g.outer, g.n, g.inner, reverse};
}

template <class Out>
void run(void (*kernel)(DType, const CumulativeShape&, const void*, Out*), const Attrs& attrs, Views in, Views out) {
  if (count(out[0].shape) == 0) return;
  Storage copy;
  kernel(in[0].dtype, shape_of(attrs, in[0]), detail::in_order(in[0], copy), static_cast<Out*>(out[0].data));
}

// What came just before each element on the way (`back`: comes just after); `fill` where there is none.
Tensor neighbour(const Tensor& x, const CumulativeAttrs& a, double fill, bool back) {
  const std::int64_t n = x.shape()[a.axis];
  if (n == 0) return x;
  Ints before = Ints::filled(x.rank(), 0), after = before;
  const bool up = a.reverse == back;  // the neighbour has the smaller index
  (up ? before : after)[a.axis] = 1;
  return pad(up ? slice_axis(x, a.axis, 0, n - 1) : slice_axis(x, a.axis, 1, n), before, after, fill);
}

// The pull-back of y[t] = a[t] * y[t - 1] + b[t] for b.
Tensor carried_back(const Tensor& a, const Tensor& grad, const CumulativeAttrs& attrs) {
  return linear_recurrence(neighbour(a, attrs, 0, true), grad, attrs.axis, !attrs.reverse);
}

template <class F> auto along(const char* name, const Arg& x, std::int64_t axis, F f) {
  return detail::composed(name, {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    return f(t, normal_axis(axis, t.rank()));
  });
}

template <class Struct> ValuesIndices extreme(const char* name, const Arg& x, std::int64_t axis, bool reverse) {
  return along(name, x, axis, [&](const Tensor& t, int at) {
    if (t.dtype() == DType::boolean) throw DTypeError("no meaning for bool", "cast it to a number type");  // as of max
    const Tensor i = apply<Struct>({t}, CumulativeAttrs{at, reverse});
    return ValuesIndices{take_along_axis(t, i, at), i};
  });
}

}  // namespace

void Cumulative::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  normal_axis(attrs.as<CumulativeAttrs>().axis, in[0]->shape.size());
  if (in[0]->dtype == DType::boolean) throw DTypeError("no meaning for bool", "cast it to a number type");
  if (in.back()->dtype != in[0]->dtype) throw detail::dtypes_differ(in[0]->dtype, in.back()->dtype);
  if (in.back()->shape != in[0]->shape)
    throw ShapeError(fmt::format("shapes differ: {} and {}", in[0]->shape.text(), in.back()->shape.text()));
  out[0] = *in[0];
}

void CumSum::run(const Attrs& a, Views in, Views out) { weft::run(run_cumsum, a, in, out); }
void CumSum::vjp(Backward& b) {
  const auto& [axis, reverse] = b.attrs<CumulativeAttrs>();
  b.give(0, cumsum(b.grad(), axis, !reverse));
}

void CumProd::run(const Attrs& a, Views in, Views out) { weft::run(run_cumprod, a, in, out); }
// Element i is a factor of y[t] for t >= i: y[i - 1] * (x[i + 1] * ... * x[t]).
void CumProd::vjp(Backward& b) {
  const auto& a = b.attrs<CumulativeAttrs>();
  b.give(0, neighbour(b.out(), a, 1, false) * carried_back(b.in(), b.grad(), a));
}
void CumProd::jvp(Forward& f) {
  const auto& a = f.attrs<CumulativeAttrs>();
  f.give(0, linear_recurrence(f.in(), f.tangent() * neighbour(f.out(), a, 1, false), a.axis, a.reverse));
}

void LinearRecurrence::run(const Attrs& attrs, Views in, Views out) {
  if (count(out[0].shape) == 0) return;
  Storage copies[2];
  const std::byte *const a = detail::in_order(in[0], copies[0]), *const b = detail::in_order(in[1], copies[1]);
  run_recurrence(in[0].dtype, shape_of(attrs, in[0]), a, b, out[0].data);
}
void LinearRecurrence::vjp(Backward& b) {
  const auto& a = b.attrs<CumulativeAttrs>();
  const Tensor carried = carried_back(b.in(), b.grad(), a);
  b.give(1, carried);
  if (b.wants(0)) b.give(0, carried * neighbour(b.out(), a, 0, false));
}
void LinearRecurrence::jvp(Forward& f) {
  const auto& a = f.attrs<CumulativeAttrs>();
  const Tensor added = f.has_tangent(0) ? f.tangent(0) * neighbour(f.out(), a, 0, false) + f.tangent(1) : f.tangent(1);
  f.give(0, linear_recurrence(f.in(0), added, a.axis, a.reverse));
}

void CumArgMax::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  normal_axis(attrs.as<CumulativeAttrs>().axis, in[0]->shape.size());
  out[0] = {i64, in[0]->shape};
}
void CumArgMin::infer(const Attrs& attrs, Types in, std::span<Type> out) { CumArgMax::infer(attrs, in, out); }
void CumArgMax::run(const Attrs& a, Views in, Views out) { weft::run(run_cumargmax, a, in, out); }
void CumArgMin::run(const Attrs& a, Views in, Views out) { weft::run(run_cumargmin, a, in, out); }

Tensor cumsum(const Arg& x, Axis axis, Flag reverse) {
  return along("cumsum", x, axis, [&](const Tensor& t, int at) {
    return apply<CumSum>({t}, CumulativeAttrs{at, reverse});
  });
}
Tensor cumprod(const Arg& x, Axis axis, Flag reverse) {
  return along("cumprod", x, axis, [&](const Tensor& t, int at) {
    return apply<CumProd>({t}, CumulativeAttrs{at, reverse});
  });
}
ValuesIndices cummax(const Arg& x, Axis axis, Flag reverse) { return extreme<CumArgMax>("cummax", x, axis, reverse); }
ValuesIndices cummin(const Arg& x, Axis axis, Flag reverse) { return extreme<CumArgMin>("cummin", x, axis, reverse); }

Tensor linear_recurrence(const Arg& a, const Arg& b, Axis axis, Flag reverse) {
  return detail::composed("linear_recurrence", {{"a", a}, {"b", b}}, [&] {
    const Tensor t = a.tensor(b.is_number() ? f32 : b.given().dtype());
    return apply<LinearRecurrence>({t, b.tensor(t.dtype())}, CumulativeAttrs{normal_axis(axis, t.rank()), reverse});
  });
}

}  // namespace weft
