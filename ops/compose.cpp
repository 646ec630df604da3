#include "compose.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "apply.h"
#include "composition.h"
#include "in_compute_type.h"
#include "manipulate.h"
#include "math.h"
#include "recorder.h"

namespace weft {
namespace {

// How many elements of `shape` one result of a reduction over `axes` takes.
double reduced_count(const Shape& shape, const Axes& axes) {
  if (!axes.list) return static_cast<double>(count(shape));
  double n = 1;
  for (std::int64_t a : normal_axes(*axes.list, shape.size())) n *= static_cast<double>(shape[static_cast<int>(a)]);
  return n;
}

// No division by 0 in the gradient at 0, which is 0; NaN goes through sqrt.
Tensor safe_sqrt(const Tensor& s) {
  const Tensor zero = equal(s, 0);
  return where(zero, s, sqrt(where(zero, 1, s)));
}

double largest_finite(DType t) {
  switch (t) {
    case DType::f64: return std::numeric_limits<double>::max();
    case DType::f16: return 65504;
    case DType::bf16: return 0x1.fep127;
    default: return std::numeric_limits<float>::max();
  }
}

}  // namespace

using detail::in_compute_type;

Tensor mean(const Arg& x, const Axes& axes, Flag keepdims) {
  return in_compute_type("mean", x,
                         [&](const Tensor& t) { return sum(t, axes, keepdims) / reduced_count(t.shape(), axes); });
}

Tensor var(const Arg& x, const Axes& axes, Flag keepdims, double correction) {
  return in_compute_type("var", x, [&](const Tensor& t) {
    const double n = reduced_count(t.shape(), axes);
    const Tensor d = t - mean(t, axes, true), total = sum(square(d), axes, keepdims);
    // The mean is rounded, and so all differences are off by as much: sum(d)^2 / n of the total comes from that. Chan,
    // Golub and LeVeque, The American Statistician 37 (1983). In exact numbers it is 0, and so are its derivatives.
    const Tensor off = sum(d, axes, keepdims), excess = stop_gradient(minimum(off * (off / n), total));
    return (total - excess) / std::max(n - correction, 0.0);
  });
}

Tensor stddev(const Arg& x, const Axes& axes, Flag keepdims, double correction) {
  return in_compute_type("stddev", x, [&](const Tensor& t) { return safe_sqrt(var(t, axes, keepdims, correction)); });
}

Tensor nansum(const Arg& x, const Axes& axes, Flag keepdims) {
  return in_compute_type("nansum", x, [&](const Tensor& t) { return sum(where(equal(t, t), t, 0), axes, keepdims); });
}

Tensor count_nonzero(const Arg& x, const Axes& axes, Flag keepdims) {
  return detail::composed("count_nonzero", {{"in0", x}},
                          [&] { return sum(cast(cast(x.tensor(), DType::boolean), i64), axes, keepdims); });
}

Tensor softmax(const Arg& x, Axis axis) {
  return in_compute_type("softmax", x, [&](const Tensor& t) {
    if (t.shape()[normal_axis(axis, t.rank())] == 0) return identity(t);  // nothing has no largest
    const Tensor e = exp(t - stop_gradient(max(t, axis, true)));
    return e * reciprocal(sum(e, axis, true));  // one division a row
  });
}

Tensor log_softmax(const Arg& x, Axis axis) {
  return in_compute_type("log_softmax", x, [&](const Tensor& t) {
    if (t.shape()[normal_axis(axis, t.rank())] == 0) return identity(t);
    const Tensor shifted = t - stop_gradient(max(t, axis, true));
    return shifted - log(sum(exp(shifted), axis, true));
  });
}

Tensor logsumexp(const Arg& x, const Axes& axes, Flag keepdims) {
  return in_compute_type("logsumexp", x, [&](const Tensor& t) {
    if (t.size() == 0) return log(sum(exp(t), axes, keepdims));  // nothing has no largest
    const Tensor m = stop_gradient(max(t, axes, true));
    const Tensor finite = where(abs(m) < INFINITY, m, 0);  // of all -inf: log(0) + 0, not NaN
    const Tensor r = log(sum(exp(t - finite), axes, true)) + finite;
    return keepdims ? r : axes.list ? squeeze(r, axes) : reshape(r, {});
  });
}

Tensor frac(const Arg& x) {
  return in_compute_type("frac", x, [](const Tensor& t) { return t - trunc(t); });
}

Tensor lerp(const Arg& start, const Arg& end, const Arg& weight) {
  return in_compute_type("lerp", {{"start   ", start}, {"end     ", end}, {"weight  ", weight}},
                         [](const Tensor& a, const Tensor& b, const Tensor& w) {
                           const Tensor d = b - a;
                           return where(w < 0.5, a + w * d, b - (1 - w) * d);
                         });
}

Tensor clip(const Arg& x, const Arg& low, const Arg& high) {
  return detail::composed("clip", {{"in0 ", x}, {"low ", low}, {"high", high}}, [&] {
    if (low.is_number() && high.is_number() && !(low.literal().real() <= high.literal().real()))
      throw ArgumentError(fmt::format("low {} is not <= high {}", low.literal().text(), high.literal().text()));
    return minimum(maximum(x, low), high);  // both give ties to x
  });
}

Tensor isclose(const Arg& a, const Arg& b, double rtol, double atol, Flag equal_nan) {
  return detail::composed("isclose", {{"lhs", a}, {"rhs", b}}, [&] {
    if (!(rtol >= 0) || !(atol >= 0)) throw ArgumentError(fmt::format("rtol {}, atol {}: from 0", rtol, atol));
    Tensor in[2];
    detail::to_compute_type({{"lhs", a}, {"rhs", b}}, in);
    const Tensor &x = in[0], &y = in[1], difference = abs(x - y);
    // Infinities are close to themselves alone, also where the bound is infinite.
    const Tensor near = logical_and(difference <= abs(y) * rtol + atol, difference < INFINITY);
    const Tensor close = logical_or(near, equal(x, y));
    return equal_nan ? logical_or(close, logical_and(isnan(x), isnan(y))) : close;
  });
}

bool allclose(const Arg& a, const Arg& b, double rtol, double atol, Flag equal_nan) {
  return detail::composed("allclose", {{"lhs", a}, {"rhs", b}},
                          [&] { return all(isclose(a, b, rtol, atol, equal_nan)).item<bool>(); });
}

Tensor nan_to_num(const Arg& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  return in_compute_type("nan_to_num", x, [&](const Tensor& t) {
    const double most = largest_finite(x.tensor().dtype());
    const Tensor up = where(equal(t, INFINITY), posinf.value_or(most), t);
    const Tensor finite = where(equal(t, -INFINITY), neginf.value_or(-most), up);
    return where(isnan(t), nan, finite);
  });
}

Tensor norm(const Arg& x, double p, const Axes& axes, Flag keepdims) {
  return in_compute_type("norm", x, [&](const Tensor& t) {
    if (p != p) throw ArgumentError("p is NaN");
    if (p == 2) return safe_sqrt(sum(square(t), axes, keepdims));
    if (p == 0) return sum(where(equal(t, 0), sign(t), 1), axes, keepdims);  // sign: gradient 0, not none
    const Tensor a = abs(t);
    if (p == 1) return sum(a, axes, keepdims);
    if (std::isinf(p)) return p > 0 ? max(a, axes, keepdims) : min(a, axes, keepdims);
    // Zeros are kept out of pow, whose gradient there need not be finite; so is a sum of 0.
    const Tensor zero = equal(a, 0), powers = where(zero, p > 0 ? 0 : INFINITY, pow(where(zero, 1, a), p));
    const Tensor s = sum(powers, axes, keepdims), none = equal(s, 0);
    return where(none, s, pow(where(none, 1, s), 1 / p));
  });
}

}  // namespace weft
