#include "reduce.h"

#include <fmt/format.h>

#include "apply.h"
#include "composition.h"
#include "defs/reduce.h"
#include "defs/shape.h"
#include "kernels/reduce.h"
#include "manipulate.h"
#include "recorder.h"

namespace weft {
namespace {

Shape without_axes(const Shape& shape, const ReduceAttrs& a) {
  Shape rest;
  for (int i = 0; i < shape.size(); ++i)
    if (i < a.begin || i >= a.end) rest.push_back(shape[i]);
  return rest;
}

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
  out[0] = {in[0]->dtype, without_axes(in[0]->shape, a)};
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
  const Ints list = detail::composed(op.name.data(), {{"in0", x}}, [&] {
    if (axes.list) return normal_axes(*axes.list, t.rank());
    Ints all;
    for (int i = 0; i < t.rank(); ++i) all.push_back(i);
    return all;
  });
  // In f32 for the 16-bit floats, rounded once.
  Tensor r = t.dtype() == compute_type(t.dtype()) ? t : cast(t, compute_type(t.dtype()));
  const bool has_meaning = (r.dtype() == DType::boolean) == (&op == &op_of<Any>() || &op == &op_of<All>());
  const auto reduce_run = [&](int begin, int end) {
    const ReduceAttrs a{begin, end};
    r = has_meaning && ReduceGeometry(r.shape(), a).n == 1 ? reshape(r, without_axes(r.shape(), a))  // each alone
                                                           : apply(op, a, std::span(&r, 1));
  };
  const bool splits_ties = &op == &op_of<Max>() || &op == &op_of<Min>();
  if (list.empty()) {
    reduce_run(t.rank(), t.rank());
  } else if (splits_ties && list.back() - list[0] >= list.size()) {
    // All at once: of one run after the other the gradient would be split among the ties of each.
    Ints order;
    for (int i = 0; i < t.rank(); ++i)
      if (!list.contains(i)) order.push_back(i);
    const int begin = order.size();
    for (const std::int64_t axis : list) order.push_back(axis);
    r = transpose(r, order);
    reduce_run(begin, t.rank());
  } else {
    for (int i = list.size(); i-- > 0;) {
      const int end = static_cast<int>(list[i]) + 1;
      while (i > 0 && list[i - 1] == list[i] - 1) --i;
      reduce_run(static_cast<int>(list[i]), end);
    }
  }
  if (keepdims) {
    Shape shape = t.shape();
    for (std::int64_t axis : list) shape[static_cast<int>(axis)] = 1;
    r = reshape(r, shape);
  }
  return r.dtype() == t.dtype() ? r : cast(r, t.dtype());
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

Tensor sum(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Sum>(), x, axes, keepdims); }
Tensor prod(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Prod>(), x, axes, keepdims); }
Tensor max(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Max>(), x, axes, keepdims); }
Tensor min(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Min>(), x, axes, keepdims); }
Tensor any(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<Any>(), x, axes, keepdims); }
Tensor all(const Arg& x, const Axes& axes, Flag keepdims) { return reduce(op_of<All>(), x, axes, keepdims); }

}  // namespace weft
