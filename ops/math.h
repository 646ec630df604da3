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
struct Neg;
/// -x
inline Tensor neg(const Arg& x) { return detail::unary<Neg>(x); }
struct Abs;
/// |x|; its gradient at 0 is 0
inline Tensor abs(const Arg& x) { return detail::unary<Abs>(x); }
struct Sign;
/// -1, 0 or 1; of ±0 itself, of NaN NaN; gradient 0
inline Tensor sign(const Arg& x) { return detail::unary<Sign>(x); }
struct Exp;
/// e^x
inline Tensor exp(const Arg& x) { return detail::unary<Exp>(x); }
struct Exp2;
/// 2^x
inline Tensor exp2(const Arg& x) { return detail::unary<Exp2>(x); }
struct Expm1;
/// e^x - 1, accurate near 0
inline Tensor expm1(const Arg& x) { return detail::unary<Expm1>(x); }
struct Log;
/// natural logarithm
inline Tensor log(const Arg& x) { return detail::unary<Log>(x); }
struct Log2;
/// logarithm to base 2
inline Tensor log2(const Arg& x) { return detail::unary<Log2>(x); }
struct Log10;
/// logarithm to base 10
inline Tensor log10(const Arg& x) { return detail::unary<Log10>(x); }
struct Log1p;
/// log(1 + x), accurate near 0
inline Tensor log1p(const Arg& x) { return detail::unary<Log1p>(x); }
struct Sqrt;
/// square root; NaN below 0, -0 of -0
inline Tensor sqrt(const Arg& x) { return detail::unary<Sqrt>(x); }
struct Rsqrt;
/// 1 / sqrt(x)
inline Tensor rsqrt(const Arg& x) { return detail::unary<Rsqrt>(x); }
struct Square;
/// x * x
inline Tensor square(const Arg& x) { return detail::unary<Square>(x); }
struct Sin;
/// sine of x radians
inline Tensor sin(const Arg& x) { return detail::unary<Sin>(x); }
struct Cos;
/// cosine of x radians
inline Tensor cos(const Arg& x) { return detail::unary<Cos>(x); }
struct Tan;
/// tangent of x radians
inline Tensor tan(const Arg& x) { return detail::unary<Tan>(x); }
struct Asin;
/// NaN beyond ±1, as acos
inline Tensor asin(const Arg& x) { return detail::unary<Asin>(x); }
struct Acos;
/// inverse cosine, from 0 to π; NaN beyond ±1
inline Tensor acos(const Arg& x) { return detail::unary<Acos>(x); }
struct Atan;
/// inverse tangent, from -π/2 to π/2
inline Tensor atan(const Arg& x) { return detail::unary<Atan>(x); }
struct Sinh;
/// (e^x - e^-x) / 2
inline Tensor sinh(const Arg& x) { return detail::unary<Sinh>(x); }
struct Cosh;
/// (e^x + e^-x) / 2
inline Tensor cosh(const Arg& x) { return detail::unary<Cosh>(x); }
struct Tanh;
/// sinh(x) / cosh(x)
inline Tensor tanh(const Arg& x) { return detail::unary<Tanh>(x); }
struct Asinh;
/// inverse of sinh
inline Tensor asinh(const Arg& x) { return detail::unary<Asinh>(x); }
struct Acosh;
/// NaN below 1
inline Tensor acosh(const Arg& x) { return detail::unary<Acosh>(x); }
struct Atanh;
/// ±inf at ±1, NaN beyond
inline Tensor atanh(const Arg& x) { return detail::unary<Atanh>(x); }
struct Sigmoid;
/// 1 / (1 + e^-x)
inline Tensor sigmoid(const Arg& x) { return detail::unary<Sigmoid>(x); }
struct Erf;
/// the error function
inline Tensor erf(const Arg& x) { return detail::unary<Erf>(x); }
struct Erfc;
/// 1 - erf(x), accurate where that is small
inline Tensor erfc(const Arg& x) { return detail::unary<Erfc>(x); }
struct Floor;
/// gradients of floor, ceil, round, trunc are 0
inline Tensor floor(const Arg& x) { return detail::unary<Floor>(x); }
struct Ceil;
/// the smallest whole number that is not below x; gradient 0
inline Tensor ceil(const Arg& x) { return detail::unary<Ceil>(x); }
struct Round;
/// to the nearest integer, halves to the even one
inline Tensor round(const Arg& x) { return detail::unary<Round>(x); }
struct Trunc;
/// toward 0
inline Tensor trunc(const Arg& x) { return detail::unary<Trunc>(x); }
struct Reciprocal;
/// 1 / x
inline Tensor reciprocal(const Arg& x) { return detail::unary<Reciprocal>(x); }

// ---- binary ----
struct Add;
/// a + b
inline Tensor add(const Arg& a, const Arg& b) { return detail::binary<Add>(a, b); }
struct Sub;
/// a - b
inline Tensor sub(const Arg& a, const Arg& b) { return detail::binary<Sub>(a, b); }
struct Mul;
/// a * b
inline Tensor mul(const Arg& a, const Arg& b) { return detail::binary<Mul>(a, b); }
struct Div;
/// floats only; cast integers first
inline Tensor div(const Arg& a, const Arg& b) { return detail::binary<Div>(a, b); }
struct Pow;
/// a^b; the gradient for b is 0 where a <= 0
inline Tensor pow(const Arg& a, const Arg& b) { return detail::binary<Pow>(a, b); }
struct Maximum;
/// the larger; NaN if either is; at ties the whole gradient goes to a
inline Tensor maximum(const Arg& a, const Arg& b) { return detail::binary<Maximum>(a, b); }
struct Minimum;
/// the smaller; NaN if either is; at ties the whole gradient goes to a
inline Tensor minimum(const Arg& a, const Arg& b) { return detail::binary<Minimum>(a, b); }
struct Atan2;
/// the angle of (x, y) = (b, a), in radians, in [-pi, pi]
inline Tensor atan2(const Arg& a, const Arg& b) { return detail::binary<Atan2>(a, b); }
struct Fmax;
/// the larger; of a number and NaN the number; at ties the whole gradient goes to a
inline Tensor fmax(const Arg& a, const Arg& b) { return detail::binary<Fmax>(a, b); }
struct Fmin;
/// the smaller; of a number and NaN the number; at ties the whole gradient goes to a
inline Tensor fmin(const Arg& a, const Arg& b) { return detail::binary<Fmin>(a, b); }
struct Hypot;
/// sqrt(a^2 + b^2), without overflow; its gradient at (0, 0) is 0
inline Tensor hypot(const Arg& a, const Arg& b) { return detail::binary<Hypot>(a, b); }
struct XLogY;
/// a log(b); 0 where a is 0 and b no NaN. Its gradient at (0, 0) is 0, for a also where a is 0 and b < 0.
inline Tensor xlogy(const Arg& a, const Arg& b) { return detail::binary<XLogY>(a, b); }
struct LogAddExp;
/// log(e^a + e^b), without overflow; of -inf and -inf it is -inf, with gradients 1/2
inline Tensor logaddexp(const Arg& a, const Arg& b) { return detail::binary<LogAddExp>(a, b); }
struct Remainder;
/// a - b floor(a / b), exactly: the sign is b's, as Python's %. NaN of a / 0 and inf / b; of integers a / 0 gives 0.
/// The gradient for b is -floor(a / b).
inline Tensor remainder(const Arg& a, const Arg& b) { return detail::binary<Remainder>(a, b); }
struct Fmod;
/// a - b trunc(a / b), exactly: the sign is a's. NaN of a / 0 and inf / b; of integers a / 0 gives 0. The gradient for
/// b is -trunc(a / b).
inline Tensor fmod(const Arg& a, const Arg& b) { return detail::binary<Fmod>(a, b); }
struct FloorDivide;
/// floor(a / b), exactly, as Python's //. Of a / 0 it is ±inf, of inf / b NaN; of integers a / 0 gives 0. Gradients are
/// 0.
inline Tensor floor_divide(const Arg& a, const Arg& b) { return detail::binary<FloorDivide>(a, b); }
struct CopySign;
/// |a| with the sign of b; gradients at a = 0, and for b, are 0. A NaN has a sign, too, but not everywhere the same.
inline Tensor copysign(const Arg& a, const Arg& b) { return detail::binary<CopySign>(a, b); }

// ---- comparisons: bool results ----
struct Equal;
/// a == b; false of NaN
Tensor equal(const Arg& a, const Arg& b);
struct NotEqual;
/// a != b; true of NaN
Tensor not_equal(const Arg& a, const Arg& b);
struct Less;
/// a < b; false of NaN, as all that order
inline Tensor less(const Arg& a, const Arg& b) { return detail::binary<Less>(a, b); }
struct LessEqual;
/// a <= b
inline Tensor less_equal(const Arg& a, const Arg& b) { return detail::binary<LessEqual>(a, b); }
struct Greater;
/// a > b
inline Tensor greater(const Arg& a, const Arg& b) { return detail::binary<Greater>(a, b); }
struct GreaterEqual;
/// a >= b
inline Tensor greater_equal(const Arg& a, const Arg& b) { return detail::binary<GreaterEqual>(a, b); }
struct IsNan;
/// of integers false
inline Tensor isnan(const Arg& x) { return detail::unary<IsNan>(x); }
struct IsInf;
/// inf or -inf; of integers false
inline Tensor isinf(const Arg& x) { return detail::unary<IsInf>(x); }
struct IsFinite;
/// neither infinite nor NaN; of integers true
inline Tensor isfinite(const Arg& x) { return detail::unary<IsFinite>(x); }
struct SignBit;
/// below 0, -0, or a NaN with that sign, which is not everywhere the same
inline Tensor signbit(const Arg& x) { return detail::unary<SignBit>(x); }

// ---- logic: of bool tensors ----
struct LogicalAnd;
/// a and b
inline Tensor logical_and(const Arg& a, const Arg& b) { return detail::binary<LogicalAnd>(a, b); }
struct LogicalOr;
/// a or b
inline Tensor logical_or(const Arg& a, const Arg& b) { return detail::binary<LogicalOr>(a, b); }
struct LogicalXor;
/// a or b, not both
inline Tensor logical_xor(const Arg& a, const Arg& b) { return detail::binary<LogicalXor>(a, b); }
struct LogicalNot;
/// not x
inline Tensor logical_not(const Arg& x) { return detail::unary<LogicalNot>(x); }

// ---- bits: of integers ----
struct BitwiseAnd;
/// the bits that a and b have
inline Tensor bitwise_and(const Arg& a, const Arg& b) { return detail::binary<BitwiseAnd>(a, b); }
struct BitwiseOr;
/// the bits that a or b has
inline Tensor bitwise_or(const Arg& a, const Arg& b) { return detail::binary<BitwiseOr>(a, b); }
struct BitwiseXor;
/// the bits that one of a and b has
inline Tensor bitwise_xor(const Arg& a, const Arg& b) { return detail::binary<BitwiseXor>(a, b); }
struct BitwiseNot;
/// the other bits: -1 - x of signed integers; not x of bools
Tensor bitwise_not(const Arg& x);
struct LeftShift;
/// a 2^b, without the bits that leave; 0 where b is no distance within the width
inline Tensor left_shift(const Arg& a, const Arg& b) { return detail::binary<LeftShift>(a, b); }
struct RightShift;
/// floor(a / 2^b); where b is no distance within the width 0, or -1 for a < 0
inline Tensor right_shift(const Arg& a, const Arg& b) { return detail::binary<RightShift>(a, b); }

struct Where;
/// condition ? a : b, element by element; condition is a bool tensor. Each branch's gradient is 0 where not chosen. Of
/// two numbers it is f32.
Tensor where(const Arg& condition, const Arg& a, const Arg& b);
/// x as another dtype: floats to integers truncate and saturate, NaN to 0; to bool is x != 0.
Tensor cast(const Arg& x, DType dtype);

struct StopGradient;
/// x, through which no gradient flows.
inline Tensor stop_gradient(const Arg& x) { return detail::unary<StopGradient>(x); }
struct Identity;
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
