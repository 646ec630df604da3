// Unary elementwise ops.
#pragma once

#include <numbers>

#include "elementwise.h"

namespace weft {

struct Neg : Elementwise<Neg> {
  static constexpr auto name = "neg";
  static constexpr auto accepts = Accepts::numbers;
  WEFT_EVAL(V x) { return -x; }
  static void vjp(Backward& b) { b.give(0, -b.grad()); }
};

struct Abs : Elementwise<Abs> {
  static constexpr auto name = "abs";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return abs(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * sign(b.in())); }
};

struct Sign : Elementwise<Sign> {
  static constexpr auto name = "sign";
  static constexpr auto accepts = Accepts::numbers;
  WEFT_EVAL(V x) { return where(x > V(0), V(1), where(x < V(0), V(-1), x)); }
  static void vjp(Backward& b) { b.give(0, detail::zeros_like(b.grad())); }
};

struct Exp : Elementwise<Exp> {
  static constexpr auto name = "exp";
  static constexpr auto reads = reads::out0;
  WEFT_EVAL(V x) { return math::exp(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * b.out()); }
};

struct Exp2 : Elementwise<Exp2> {
  static constexpr auto name = "exp2";
  static constexpr auto reads = reads::out0;
  WEFT_EVAL(V x) { return math::exp2(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * (b.out() * std::numbers::ln2)); }
};

struct Expm1 : Elementwise<Expm1> {
  static constexpr auto name = "expm1";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::expm1(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * exp(b.in())); }  // the result + 1 has lost all digits at -17
};

struct Log : Elementwise<Log> {
  static constexpr auto name = "log";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{0.2, 4};
  WEFT_EVAL(V x) { return math::log(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / b.in()); }
};

struct Log2 : Elementwise<Log2> {
  static constexpr auto name = "log2";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{0.2, 4};
  WEFT_EVAL(V x) { return math::log2(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / (b.in() * std::numbers::ln2)); }
};

struct Log10 : Elementwise<Log10> {
  static constexpr auto name = "log10";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{0.2, 4};
  WEFT_EVAL(V x) { return math::log10(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / (b.in() * std::numbers::ln10)); }
};

struct Log1p : Elementwise<Log1p> {
  static constexpr auto name = "log1p";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{-0.7, 4};
  WEFT_EVAL(V x) { return math::log1p(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / (b.in() + 1)); }
};

struct Sqrt : Elementwise<Sqrt> {
  static constexpr auto name = "sqrt";
  static constexpr auto reads = reads::out0;
  static constexpr Interval domain{0.2, 4};
  WEFT_EVAL(V x) { return sqrt(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / (b.out() * 2)); }
};

struct Rsqrt : Elementwise<Rsqrt> {
  static constexpr auto name = "rsqrt";
  static constexpr auto reads = reads::in0 | reads::out0;
  static constexpr Interval domain{0.2, 4};
  WEFT_EVAL(V x) { return math::rsqrt(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * (b.out() / b.in()) * -0.5); }
};

struct Square : Elementwise<Square> {
  static constexpr auto name = "square";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return x * x; }
  static void vjp(Backward& b) { b.give(0, b.grad() * (b.in() * 2)); }
};

struct Sin : Elementwise<Sin> {
  static constexpr auto name = "sin";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::sin(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * cos(b.in())); }
};

struct Cos : Elementwise<Cos> {
  static constexpr auto name = "cos";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::cos(x); }
  static void vjp(Backward& b) { b.give(0, -(b.grad() * sin(b.in()))); }
};

struct Tan : Elementwise<Tan> {
  static constexpr auto name = "tan";
  static constexpr auto reads = reads::out0;
  static constexpr Interval domain{-1.2, 1.2};
  WEFT_EVAL(V x) { return math::tan(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * (square(b.out()) + 1)); }
};

struct Asin : Elementwise<Asin> {
  static constexpr auto name = "asin";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{-0.9, 0.9};
  WEFT_EVAL(V x) { return math::asin(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / sqrt((1 - b.in()) * (1 + b.in()))); }
};

struct Acos : Elementwise<Acos> {
  static constexpr auto name = "acos";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{-0.9, 0.9};
  WEFT_EVAL(V x) { return math::acos(x); }
  static void vjp(Backward& b) { b.give(0, -(b.grad() / sqrt((1 - b.in()) * (1 + b.in())))); }
};

struct Atan : Elementwise<Atan> {
  static constexpr auto name = "atan";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::atan(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / (square(b.in()) + 1)); }
};

struct Sinh : Elementwise<Sinh> {
  static constexpr auto name = "sinh";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::sinh(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * cosh(b.in())); }
};

struct Cosh : Elementwise<Cosh> {
  static constexpr auto name = "cosh";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::cosh(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * sinh(b.in())); }
};

struct Tanh : Elementwise<Tanh> {
  static constexpr auto name = "tanh";
  static constexpr auto reads = reads::out0;
  WEFT_EVAL(V x) { return math::tanh(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * (1 - square(b.out()))); }
};

struct Asinh : Elementwise<Asinh> {
  static constexpr auto name = "asinh";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::asinh(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / hypot(b.in(), 1)); }
};

struct Acosh : Elementwise<Acosh> {
  static constexpr auto name = "acosh";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{1.2, 4};
  WEFT_EVAL(V x) { return math::acosh(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / (sqrt(b.in() - 1) * sqrt(b.in() + 1))); }
};

struct Atanh : Elementwise<Atanh> {
  static constexpr auto name = "atanh";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{-0.8, 0.8};
  WEFT_EVAL(V x) { return math::atanh(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() / ((1 - b.in()) * (1 + b.in()))); }
};

struct Sigmoid : Elementwise<Sigmoid> {
  static constexpr auto name = "sigmoid";
  static constexpr auto reads = reads::out0;
  WEFT_EVAL(V x) { return math::sigmoid(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * (b.out() * (1 - b.out()))); }
};

struct Erf : Elementwise<Erf> {
  static constexpr auto name = "erf";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::erf(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * (exp(-square(b.in())) * (2 * std::numbers::inv_sqrtpi))); }
};

struct Erfc : Elementwise<Erfc> {
  static constexpr auto name = "erfc";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::erfc(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * (exp(-square(b.in())) * (-2 * std::numbers::inv_sqrtpi))); }
};

struct Floor : Elementwise<Floor> {
  static constexpr auto name = "floor";
  static constexpr Interval domain{0.1, 0.9};
  WEFT_EVAL(V x) { return floor(x); }
  static void vjp(Backward& b) { b.give(0, detail::zeros_like(b.grad())); }
};

struct Ceil : Elementwise<Ceil> {
  static constexpr auto name = "ceil";
  static constexpr Interval domain{0.1, 0.9};
  WEFT_EVAL(V x) { return ceil(x); }
  static void vjp(Backward& b) { b.give(0, detail::zeros_like(b.grad())); }
};

struct Round : Elementwise<Round> {
  static constexpr auto name = "round";
  static constexpr Interval domain{0.6, 1.4};
  WEFT_EVAL(V x) { return nearest(x); }
  static void vjp(Backward& b) { b.give(0, detail::zeros_like(b.grad())); }
};

struct Trunc : Elementwise<Trunc> {
  static constexpr auto name = "trunc";
  static constexpr Interval domain{0.1, 0.9};
  WEFT_EVAL(V x) { return trunc(x); }
  static void vjp(Backward& b) { b.give(0, detail::zeros_like(b.grad())); }
};

struct Reciprocal : Elementwise<Reciprocal> {
  static constexpr auto name = "reciprocal";
  static constexpr auto reads = reads::out0;
  static constexpr Interval domain{0.3, 3};
  WEFT_EVAL(V x) { return V(1) / x; }
  static void vjp(Backward& b) { b.give(0, -(b.grad() * square(b.out()))); }
};

struct Identity : Elementwise<Identity> {
  static constexpr auto name = "identity";
  static constexpr auto accepts = Accepts::numbers;
  WEFT_EVAL(V x) { return x; }
  static void vjp(Backward& b) { b.give(0, b.grad()); }
};

struct StopGradient : Elementwise<StopGradient> {
  static constexpr auto name = "stop_gradient";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr bool differentiable = false;
  WEFT_EVAL(V x) { return x; }
};

struct LogicalNot : Elementwise<LogicalNot> {
  static constexpr auto name = "logical_not";
  static constexpr auto accepts = Accepts::booleans;
  static constexpr bool differentiable = false;
  WEFT_EVAL(V x) { return !x; }
};

}  // namespace weft
