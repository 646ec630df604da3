// Special functions of floats, element by element; an f32 is computed in f64. docs/accuracy.md says how accurate.
#pragma once

#include "math.h"

namespace weft {

struct Lgamma;
/// log(|gamma(x)|); inf at 0, -1, -2, ...
inline Tensor lgamma(const Arg& x) { return detail::unary<Lgamma>(x); }
struct Digamma;
/// the derivative of lgamma; NaN at -1, -2, ..., infinite at 0
inline Tensor digamma(const Arg& x) { return detail::unary<Digamma>(x); }
/// The derivative of digamma: a composition, so that lgamma has gradients of any order. Within some 10 ulp.
Tensor trigamma(const Arg& x);
struct Erfinv;
/// the inverse of erf; ±inf at ±1, NaN beyond
inline Tensor erfinv(const Arg& x) { return detail::unary<Erfinv>(x); }
struct I0;
/// the modified Bessel function of order 0, as i1 is of order 1
inline Tensor i0(const Arg& x) { return detail::unary<I0>(x); }
struct I1;
inline Tensor i1(const Arg& x) { return detail::unary<I1>(x); }

}  // namespace weft
