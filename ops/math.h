// Elementwise ops. Operands broadcast as NumPy's do and have one dtype; a literal takes the tensor's.
//
// Errors of all: ShapeError if shapes do not broadcast, DTypeError if dtypes differ or the op has no meaning for one.
#pragma once

#include <initializer_list>

#include "arg.h"
#include "op.h"

namespace weft {

namespace detail {
/// Brings the operands to one dtype and one shape and applies an elementwise op. `condition`: the first is a mask.
Tensor elementwise(const Op& op, std::initializer_list<const Arg*> args, bool condition = false);
inline bool of_integers(const Arg& a, const Arg& b) {
  const Tensor& t = a.is_number() ? b.given() : a.given();
  return t.defined() && is_integer(t.dtype());
}
/// x's type filled with 0: the gradient of a constant function.
Tensor zeros_like(const Tensor& x);
template <class Struct> Tensor unary(const Arg& x) { return elementwise(op_of<Struct>(), {&x}); }
template <class Struct> Tensor binary(const Arg& a, const Arg& b) { return elementwise(op_of<Struct>(), {&a, &b}); }
}  // namespace detail

// ---- unary ----
/// -x
Tensor neg(const Arg& x);
/// |x|; its gradient at 0 is 0
Tensor abs(const Arg& x);
/// -1, 0 or 1; of ±0 itself, of NaN NaN; gradient 0
Tensor sign(const Arg& x);
/// e^x
Tensor exp(const Arg& x);
/// 2^x
Tensor exp2(const Arg& x);
/// e^x - 1, accurate near 0
Tensor expm1(const Arg& x);
/// natural logarithm
Tensor log(const Arg& x);
/// logarithm to base 2
Tensor log2(const Arg& x);
/// logarithm to base 10
Tensor log10(const Arg& x);
/// log(1 + x), accurate near 0
Tensor log1p(const Arg& x);
/// square root; NaN below 0, -0 of -0
Tensor sqrt(const Arg& x);
/// 1 / sqrt(x)
Tensor rsqrt(const Arg& x);
/// x * x
Tensor square(const Arg& x);
/// sine of x radians
Tensor sin(const Arg& x);
/// cosine of x radians
Tensor cos(const Arg& x);
/// tangent of x radians
Tensor tan(const Arg& x);
/// inverse sine, from -π/2 to π/2; NaN beyond ±1
Tensor asin(const Arg& x);
/// inverse cosine, from 0 to π; NaN beyond ±1
Tensor acos(const Arg& x);
/// inverse tangent, from -π/2 to π/2
Tensor atan(const Arg& x);
/// (e^x - e^-x) / 2
Tensor sinh(const Arg& x);
/// (e^x + e^-x) / 2
Tensor cosh(const Arg& x);
/// sinh(x) / cosh(x)
Tensor tanh(const Arg& x);
/// inverse of sinh
Tensor asinh(const Arg& x);
/// inverse of cosh, from 0 up; NaN below 1
Tensor acosh(const Arg& x);
/// inverse of tanh; ±inf at ±1, NaN beyond
Tensor atanh(const Arg& x);
/// 1 / (1 + e^-x)
Tensor sigmoid(const Arg& x);
/// the error function
Tensor erf(const Arg& x);
/// 1 - erf(x), accurate where that is small
Tensor erfc(const Arg& x);
/// the largest whole number that is not above x; gradient 0
Tensor floor(const Arg& x);
/// the smallest whole number that is not below x; gradient 0
Tensor ceil(const Arg& x);
/// to the nearest integer, halves to the even one; gradient 0
Tensor round(const Arg& x);
/// the whole number next to x toward 0; gradient 0
Tensor trunc(const Arg& x);
/// 1 / x
Tensor reciprocal(const Arg& x);

// ---- binary ----
/// a + b
Tensor add(const Arg& a, const Arg& b);
/// a - b
Tensor sub(const Arg& a, const Arg& b);
/// a * b
Tensor mul(const Arg& a, const Arg& b);
/// floats only; cast integers first
Tensor div(const Arg& a, const Arg& b);
/// a^b; the gradient for b is 0 where a <= 0
Tensor pow(const Arg& a, const Arg& b);
/// the larger; NaN if either is; at ties the whole gradient goes to a
Tensor maximum(const Arg& a, const Arg& b);
/// the smaller; NaN if either is; at ties the whole gradient goes to a
Tensor minimum(const Arg& a, const Arg& b);
/// the angle of (x, y) = (b, a), in radians, in [-pi, pi]
Tensor atan2(const Arg& a, const Arg& b);
/// the larger; of a number and NaN the number; at ties the whole gradient goes to a
Tensor fmax(const Arg& a, const Arg& b);
/// the smaller; of a number and NaN the number; at ties the whole gradient goes to a
Tensor fmin(const Arg& a, const Arg& b);
/// sqrt(a^2 + b^2), without overflow; its gradient at (0, 0) is 0
Tensor hypot(const Arg& a, const Arg& b);
/// a log(b); 0 where a is 0 and b no NaN. Its gradient at (0, 0) is 0, for a also where a is 0 and b < 0.
Tensor xlogy(const Arg& a, const Arg& b);
/// log(e^a + e^b), without overflow; of -inf and -inf it is -inf, with gradients 1/2
Tensor logaddexp(const Arg& a, const Arg& b);
/// a - b floor(a / b), exactly: the sign is b's, as Python's %. NaN of a / 0 and inf / b; of integers a / 0 gives 0.
/// The gradient for b is -floor(a / b).
Tensor remainder(const Arg& a, const Arg& b);
/// a - b trunc(a / b), exactly: the sign is a's. NaN of a / 0 and inf / b; of integers a / 0 gives 0. The gradient for
/// b is -trunc(a / b).
Tensor fmod(const Arg& a, const Arg& b);
/// floor(a / b), exactly, as Python's //. Of a / 0 it is ±inf, of inf / b NaN; of integers a / 0 gives 0. Gradients are
/// 0.
Tensor floor_divide(const Arg& a, const Arg& b);
/// |a| with the sign of b; gradients at a = 0, and for b, are 0. A NaN has a sign, too, but not everywhere the same.
Tensor copysign(const Arg& a, const Arg& b);

// ---- comparisons: bool results ----
/// a == b; false of NaN
Tensor equal(const Arg& a, const Arg& b);
/// a != b; true of NaN
Tensor not_equal(const Arg& a, const Arg& b);
/// a < b; false of NaN, as all that order
Tensor less(const Arg& a, const Arg& b);
/// a <= b
Tensor less_equal(const Arg& a, const Arg& b);
/// a > b
Tensor greater(const Arg& a, const Arg& b);
/// a >= b
Tensor greater_equal(const Arg& a, const Arg& b);
/// is it NaN? of integers false
Tensor isnan(const Arg& x);
/// inf or -inf; of integers false
Tensor isinf(const Arg& x);
/// neither infinite nor NaN; of integers true
Tensor isfinite(const Arg& x);
/// below 0, -0, or a NaN with that sign, which is not everywhere the same
Tensor signbit(const Arg& x);

// ---- logic: of bool tensors ----
/// a and b
Tensor logical_and(const Arg& a, const Arg& b);
/// a or b
Tensor logical_or(const Arg& a, const Arg& b);
/// a or b, not both
Tensor logical_xor(const Arg& a, const Arg& b);
/// not x
Tensor logical_not(const Arg& x);

// ---- bits: of integers ----
/// the bits that a and b have
Tensor bitwise_and(const Arg& a, const Arg& b);
/// the bits that a or b has
Tensor bitwise_or(const Arg& a, const Arg& b);
/// the bits that one of a and b has
Tensor bitwise_xor(const Arg& a, const Arg& b);
/// the other bits: -1 - x of signed integers; not x of bools
Tensor bitwise_not(const Arg& x);
/// a 2^b, without the bits that leave; 0 where b is no distance within the width
Tensor left_shift(const Arg& a, const Arg& b);
/// floor(a / 2^b); where b is no distance within the width 0, or -1 for a < 0
Tensor right_shift(const Arg& a, const Arg& b);

/// condition ? a : b, element by element; condition is a bool tensor. Each branch's gradient is 0 where not chosen. Of
/// two numbers it is f32.
Tensor where(const Arg& condition, const Arg& a, const Arg& b);
/// x as another dtype: floats to integers truncate and saturate, NaN to 0; to bool is x != 0.
Tensor cast(const Arg& x, DType dtype);

/// x, through which no gradient flows.
Tensor stop_gradient(const Arg& x);
/// x, as a tensor of its own (tapes tell it from x).
Tensor identity(const Arg& x);

// ---- operators ----
inline Tensor operator+(const Arg& a, const Arg& b) { return add(a, b); }
inline Tensor operator-(const Arg& a, const Arg& b) { return sub(a, b); }
inline Tensor operator*(const Arg& a, const Arg& b) { return mul(a, b); }
inline Tensor operator/(const Arg& a, const Arg& b) { return div(a, b); }
inline Tensor operator%(const Arg& a, const Arg& b) { return remainder(a, b); }
inline Tensor operator-(const Arg& x) { return neg(x); }
/// x += y is x = x + y: the handle shows another value; what others hold stays what it is.
inline Tensor& operator+=(Tensor& a, const Arg& b) { return a = add(Arg(a, b.site()), b); }
inline Tensor& operator-=(Tensor& a, const Arg& b) { return a = sub(Arg(a, b.site()), b); }
inline Tensor& operator*=(Tensor& a, const Arg& b) { return a = mul(Arg(a, b.site()), b); }
inline Tensor& operator/=(Tensor& a, const Arg& b) { return a = div(Arg(a, b.site()), b); }
// Element by element, as all of these. Whether two are handles of one value: a.same(b).
inline Tensor operator==(const Arg& a, const Arg& b) { return equal(a, b); }
inline Tensor operator!=(const Arg& a, const Arg& b) { return not_equal(a, b); }
inline Tensor operator<(const Arg& a, const Arg& b) { return less(a, b); }
inline Tensor operator<=(const Arg& a, const Arg& b) { return less_equal(a, b); }
inline Tensor operator>(const Arg& a, const Arg& b) { return greater(a, b); }
inline Tensor operator>=(const Arg& a, const Arg& b) { return greater_equal(a, b); }
// & | ^: logic of bool tensors, bits of integers.
inline Tensor operator&(const Arg& a, const Arg& b) {
  return detail::of_integers(a, b) ? bitwise_and(a, b) : logical_and(a, b);
}
inline Tensor operator|(const Arg& a, const Arg& b) {
  return detail::of_integers(a, b) ? bitwise_or(a, b) : logical_or(a, b);
}
inline Tensor operator^(const Arg& a, const Arg& b) {
  return detail::of_integers(a, b) ? bitwise_xor(a, b) : logical_xor(a, b);
}
inline Tensor operator~(const Arg& x) { return bitwise_not(x); }
inline Tensor operator!(const Arg& x) { return logical_not(x); }

/// The shape that operands of shapes a and b broadcast to; ShapeError if they do not.
Shape broadcast_shapes(const Shape& a, const Shape& b);

/// x repeated to `shape`, as NumPy broadcasts it. ShapeError if it can't be.
Tensor broadcast_to(const Arg& x, const Shape& shape);

}  // namespace weft
