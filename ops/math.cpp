// What each function of math.h applies, but for those that bools.cpp has.
#include "math.h"

#include "defs/binary.h"
#include "defs/bitwise.h"
#include "defs/unary.h"

namespace weft {

Tensor neg(const Arg& x) { return detail::unary<Neg>(x); }
Tensor abs(const Arg& x) { return detail::unary<Abs>(x); }
Tensor sign(const Arg& x) { return detail::unary<Sign>(x); }
Tensor exp(const Arg& x) { return detail::unary<Exp>(x); }
Tensor exp2(const Arg& x) { return detail::unary<Exp2>(x); }
Tensor expm1(const Arg& x) { return detail::unary<Expm1>(x); }
Tensor log(const Arg& x) { return detail::unary<Log>(x); }
Tensor log2(const Arg& x) { return detail::unary<Log2>(x); }
Tensor log10(const Arg& x) { return detail::unary<Log10>(x); }
Tensor log1p(const Arg& x) { return detail::unary<Log1p>(x); }
Tensor sqrt(const Arg& x) { return detail::unary<Sqrt>(x); }
Tensor rsqrt(const Arg& x) { return detail::unary<Rsqrt>(x); }
Tensor square(const Arg& x) { return detail::unary<Square>(x); }
Tensor sin(const Arg& x) { return detail::unary<Sin>(x); }
Tensor cos(const Arg& x) { return detail::unary<Cos>(x); }
Tensor tan(const Arg& x) { return detail::unary<Tan>(x); }
Tensor asin(const Arg& x) { return detail::unary<Asin>(x); }
Tensor acos(const Arg& x) { return detail::unary<Acos>(x); }
Tensor atan(const Arg& x) { return detail::unary<Atan>(x); }
Tensor sinh(const Arg& x) { return detail::unary<Sinh>(x); }
Tensor cosh(const Arg& x) { return detail::unary<Cosh>(x); }
Tensor tanh(const Arg& x) { return detail::unary<Tanh>(x); }
Tensor asinh(const Arg& x) { return detail::unary<Asinh>(x); }
Tensor acosh(const Arg& x) { return detail::unary<Acosh>(x); }
Tensor atanh(const Arg& x) { return detail::unary<Atanh>(x); }
Tensor sigmoid(const Arg& x) { return detail::unary<Sigmoid>(x); }
Tensor erf(const Arg& x) { return detail::unary<Erf>(x); }
Tensor erfc(const Arg& x) { return detail::unary<Erfc>(x); }
Tensor floor(const Arg& x) { return detail::unary<Floor>(x); }
Tensor ceil(const Arg& x) { return detail::unary<Ceil>(x); }
Tensor round(const Arg& x) { return detail::unary<Round>(x); }
Tensor trunc(const Arg& x) { return detail::unary<Trunc>(x); }
Tensor reciprocal(const Arg& x) { return detail::unary<Reciprocal>(x); }
Tensor add(const Arg& a, const Arg& b) { return detail::binary<Add>(a, b); }
Tensor sub(const Arg& a, const Arg& b) { return detail::binary<Sub>(a, b); }
Tensor mul(const Arg& a, const Arg& b) { return detail::binary<Mul>(a, b); }
Tensor div(const Arg& a, const Arg& b) { return detail::binary<Div>(a, b); }
Tensor pow(const Arg& a, const Arg& b) {
  if (b.is_number() && b.literal().real() == -1 && a.given().defined() && is_floating(a.given().dtype())) {
    const SiteScope scope(a.site(), "pow");
    return reciprocal(a.given());  // ten times as fast, and no less exact
  }
  return detail::binary<Pow>(a, b);
}
Tensor maximum(const Arg& a, const Arg& b) { return detail::binary<Maximum>(a, b); }
Tensor minimum(const Arg& a, const Arg& b) { return detail::binary<Minimum>(a, b); }
Tensor atan2(const Arg& a, const Arg& b) { return detail::binary<Atan2>(a, b); }
Tensor fmax(const Arg& a, const Arg& b) { return detail::binary<Fmax>(a, b); }
Tensor fmin(const Arg& a, const Arg& b) { return detail::binary<Fmin>(a, b); }
Tensor hypot(const Arg& a, const Arg& b) { return detail::binary<Hypot>(a, b); }
Tensor xlogy(const Arg& a, const Arg& b) { return detail::binary<XLogY>(a, b); }
Tensor logaddexp(const Arg& a, const Arg& b) { return detail::binary<LogAddExp>(a, b); }
Tensor remainder(const Arg& a, const Arg& b) { return detail::binary<Remainder>(a, b); }
Tensor fmod(const Arg& a, const Arg& b) { return detail::binary<Fmod>(a, b); }
Tensor floor_divide(const Arg& a, const Arg& b) { return detail::binary<FloorDivide>(a, b); }
Tensor copysign(const Arg& a, const Arg& b) { return detail::binary<CopySign>(a, b); }
Tensor less(const Arg& a, const Arg& b) { return detail::binary<Less>(a, b); }
Tensor less_equal(const Arg& a, const Arg& b) { return detail::binary<LessEqual>(a, b); }
Tensor greater(const Arg& a, const Arg& b) { return detail::binary<Greater>(a, b); }
Tensor greater_equal(const Arg& a, const Arg& b) { return detail::binary<GreaterEqual>(a, b); }
Tensor isnan(const Arg& x) { return detail::unary<IsNan>(x); }
Tensor isinf(const Arg& x) { return detail::unary<IsInf>(x); }
Tensor isfinite(const Arg& x) { return detail::unary<IsFinite>(x); }
Tensor signbit(const Arg& x) { return detail::unary<SignBit>(x); }
Tensor logical_and(const Arg& a, const Arg& b) { return detail::binary<LogicalAnd>(a, b); }
Tensor logical_or(const Arg& a, const Arg& b) { return detail::binary<LogicalOr>(a, b); }
Tensor logical_xor(const Arg& a, const Arg& b) { return detail::binary<LogicalXor>(a, b); }
Tensor logical_not(const Arg& x) { return detail::unary<LogicalNot>(x); }
Tensor left_shift(const Arg& a, const Arg& b) { return detail::binary<LeftShift>(a, b); }
Tensor right_shift(const Arg& a, const Arg& b) { return detail::binary<RightShift>(a, b); }
Tensor stop_gradient(const Arg& x) { return detail::unary<StopGradient>(x); }

}  // namespace weft
