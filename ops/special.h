// Special functions of floats, element by element; an f32 is computed in f64. docs/accuracy.md says how accurate.
#pragma once

#include "math.h"

namespace weft {

/// log(|gamma(x)|); inf at 0, -1, -2, ...
Tensor lgamma(const Arg& x);
/// the derivative of lgamma; NaN at -1, -2, ..., infinite at 0
Tensor digamma(const Arg& x);
/// The derivative of digamma: a composition, so that lgamma has gradients of any order. Within some 10 ulp.
Tensor trigamma(const Arg& x);
/// the inverse of erf; ±inf at ±1, NaN beyond
Tensor erfinv(const Arg& x);
/// the modified Bessel function of order 0
Tensor i0(const Arg& x);
/// the modified Bessel function of order 1
Tensor i1(const Arg& x);

}  // namespace weft
