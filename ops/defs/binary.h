// Elementwise ops of two operands, and `where`.
#pragma once

#include "elementwise.h"
#include "unary.h"

namespace weft {

struct Add : Elementwise<Add> {
  static constexpr auto name = "add";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr std::uint32_t linear = linear::in0 | linear::in1;
  WEFT_EVAL(V x, V y) { return x + y; }
  static void vjp(Backward& b) {
    b.give(0, b.grad());
    b.give(1, b.grad());
  }
};

struct Sub : Elementwise<Sub> {
  static constexpr auto name = "sub";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr std::uint32_t linear = linear::in0 | linear::in1;
  WEFT_EVAL(V x, V y) { return x - y; }
  static void vjp(Backward& b) {
    b.give(0, b.grad());
    if (b.wants(1)) b.give(1, -b.grad());
  }
};

struct Mul : Elementwise<Mul> {
  static constexpr auto name = "mul";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0 | reads::in1;
  WEFT_EVAL(V x, V y) { return x * y; }
  static void vjp(Backward& b) {
    if (b.wants(0)) b.give(0, b.grad() * b.in(1));
    if (b.wants(1)) b.give(1, b.grad() * b.in(0));
  }
};

struct Div : Elementwise<Div> {
  static constexpr auto name = "div";
  static constexpr auto reads = reads::in1 | reads::out0;
  static constexpr Interval domain1{0.5, 3};
  WEFT_EVAL(V x, V y) { return x / y; }
  static void vjp(Backward& b) {
    const Tensor g = b.grad() / b.in(1);
    b.give(0, g);
    if (b.wants(1)) b.give(1, -(g * b.out()));
  }
};

struct Pow : Elementwise<Pow> {
  static constexpr auto name = "pow";
  static constexpr auto reads = reads::in0 | reads::in1 | reads::out0;
  static constexpr Interval domain{0.3, 3};
  static constexpr Interval domain1{-2, 2};
  WEFT_EVAL(V x, V y) { return math::pow(x, y); }
  static const Op* with_number(double y) { return y == 2 ? &op_of<Square>() : nullptr; }
  static void vjp(Backward& b) {
    const Tensor &x = b.in(0), &y = b.in(1);
    if (b.wants(0)) {  // no exponent of -1 where y is 0: what is not chosen has a gradient of its own
      const Tensor constant = equal(y, 0);
      b.give(0, where(constant, 0, b.grad() * (y * pow(x, where(constant, 0, y - 1)))));
    }
    if (b.wants(1)) {  // log only where it is defined, as TensorFlow: no NaN for x <= 0
      const Tensor positive = x > 0;
      b.give(1, where(positive, b.grad() * (b.out() * log(where(positive, x, 1))), 0));
    }
  }
};

struct Maximum : Elementwise<Maximum> {
  static constexpr auto name = "maximum";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0 | reads::in1;
  WEFT_EVAL(V x, V y) { return where((x >= y) | (x != x), x, y); }
  static void vjp(Backward& b) {
    const Tensor first = logical_or(b.in(0) >= b.in(1), isnan(b.in(0)));
    if (b.wants(0)) b.give(0, where(first, b.grad(), 0));
    if (b.wants(1)) b.give(1, where(first, 0, b.grad()));
  }
};

struct Minimum : Elementwise<Minimum> {
  static constexpr auto name = "minimum";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0 | reads::in1;
  WEFT_EVAL(V x, V y) { return where((x <= y) | (x != x), x, y); }
  static void vjp(Backward& b) {
    const Tensor first = logical_or(b.in(0) <= b.in(1), isnan(b.in(0)));
    if (b.wants(0)) b.give(0, where(first, b.grad(), 0));
    if (b.wants(1)) b.give(1, where(first, 0, b.grad()));
  }
};

struct Atan2 : Elementwise<Atan2> {
  static constexpr auto name = "atan2";
  static constexpr auto reads = reads::in0 | reads::in1;
  static constexpr Interval domain{0.3, 3};
  WEFT_EVAL(V y, V x) { return math::atan2(y, x); }
  static void vjp(Backward& b) {  // by the distance from 0 twice: its square may be too large, or 0; at 0 it is 0
    const Tensor r = hypot(b.in(0), b.in(1)), distance = where(equal(r, 0), 1, r), g = b.grad() / distance;
    if (b.wants(0)) b.give(0, b.in(1) / distance * g);
    if (b.wants(1)) b.give(1, -(b.in(0) / distance * g));
  }
};

struct Hypot : Elementwise<Hypot> {
  static constexpr auto name = "hypot";
  static constexpr auto reads = reads::in0 | reads::in1 | reads::out0;
  static constexpr Interval domain{0.3, 3};
  WEFT_EVAL(V x, V y) { return math::hypot(x, y); }
  static void vjp(Backward& b) {
    // x / h, whose own gradient is finite where that of 1 / h would be no number.
    const Tensor zero = equal(b.out(), 0), length = where(zero, 1, b.out()), g = where(zero, 0, b.grad());
    if (b.wants(0)) b.give(0, g * (b.in(0) / length));
    if (b.wants(1)) b.give(1, g * (b.in(1) / length));
  }
};

struct XLogY : Elementwise<XLogY> {
  static constexpr auto name = "xlogy";
  static constexpr auto reads = reads::in0 | reads::in1;
  static constexpr Interval domain1{0.2, 4};
  WEFT_EVAL(V x, V y) { return math::xlogy(x, y); }
  static void vjp(Backward& b) {
    const Tensor &x = b.in(0), &y = b.in(1);
    if (b.wants(0)) {  // log(y), but 0 where x = 0 makes nothing of what log(y) is
      const Tensor nothing = equal(x, 0) & (y <= 0);
      b.give(0, where(nothing, 0, xlogy(b.grad(), where(nothing, 1, y))));
    }
    if (b.wants(1)) {
      const Tensor both = equal(x, 0) & equal(y, 0);
      b.give(1, where(both, 0, b.grad() * (x / where(both, 1, y))));
    }
  }
};

struct LogAddExp : Elementwise<LogAddExp> {
  static constexpr auto name = "logaddexp";
  static constexpr auto reads = reads::in0 | reads::in1;
  WEFT_EVAL(V x, V y) { return math::logaddexp(x, y); }
  static void vjp(Backward& b) {  // sigmoid(x - y), 1/2 where both are the same infinity
    const Tensor same = equal(b.in(0), b.in(1)) & isinf(b.in(0));
    const Tensor difference = where(same, 0, b.in(0)) - where(same, 0, b.in(1));
    if (b.wants(0)) b.give(0, b.grad() * sigmoid(difference));
    if (b.wants(1)) b.give(1, b.grad() * sigmoid(-difference));
  }
};

// Sampled where their quotient lies between 1 and 2.
struct Remainder : Elementwise<Remainder> {
  static constexpr auto name = "remainder";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0 | reads::in1;
  static constexpr Interval domain{4.2, 5.8}, domain1{2.95, 4.1};
  WEFT_EVAL(V x, V y) { return math::remainder(x, y); }
  static void vjp(Backward& b) {
    b.give(0, b.grad());
    if (b.wants(1)) b.give(1, -(b.grad() * floor_divide(b.in(0), b.in(1))));
  }
};

struct Fmod : Elementwise<Fmod> {
  static constexpr auto name = "fmod";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0 | reads::in1;
  static constexpr Interval domain{4.2, 5.8}, domain1{2.95, 4.1};
  WEFT_EVAL(V x, V y) { return math::fmod(x, y); }
  static void vjp(Backward& b) {
    b.give(0, b.grad());
    if (b.wants(1)) b.give(1, -(b.grad() * trunc(b.in(0) / b.in(1))));
  }
};

struct FloorDivide : Elementwise<FloorDivide> {
  static constexpr auto name = "floor_divide";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr Interval domain{4.2, 5.8}, domain1{2.95, 4.1};
  WEFT_EVAL(V x, V y) { return math::floor_divide(x, y); }
  static void vjp(Backward& b) {
    b.give(0, detail::zeros_like(b.grad()));
    b.give(1, detail::zeros_like(b.grad()));
  }
};

struct CopySign : Elementwise<CopySign> {
  static constexpr auto name = "copysign";
  static constexpr auto reads = reads::in0 | reads::in1;
  static constexpr Interval domain{0.3, 3};
  WEFT_EVAL(V x, V y) { return math::detail::with_sign(abs(x), y); }
  static void vjp(Backward& b) {
    if (b.wants(0)) b.give(0, b.grad() * copysign(1, b.in(1)) * sign(b.in(0)));
    b.give(1, detail::zeros_like(b.grad()));
  }
};

struct Fmax : Elementwise<Fmax> {
  static constexpr auto name = "fmax";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0 | reads::in1;
  WEFT_EVAL(V x, V y) { return where((x >= y) | (y != y), x, y); }
  static void vjp(Backward& b) {
    const Tensor first = (b.in(0) >= b.in(1)) | isnan(b.in(1));
    if (b.wants(0)) b.give(0, where(first, b.grad(), 0));
    if (b.wants(1)) b.give(1, where(first, 0, b.grad()));
  }
};

struct Fmin : Elementwise<Fmin> {
  static constexpr auto name = "fmin";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0 | reads::in1;
  WEFT_EVAL(V x, V y) { return where((x <= y) | (y != y), x, y); }
  static void vjp(Backward& b) {
    const Tensor first = (b.in(0) <= b.in(1)) | isnan(b.in(1));
    if (b.wants(0)) b.give(0, where(first, b.grad(), 0));
    if (b.wants(1)) b.give(1, where(first, 0, b.grad()));
  }
};

/// Comparisons give masks, through which no gradient flows.
template <class Struct> struct Comparison : Elementwise<Struct> {
  static constexpr auto accepts = Accepts::numbers;
  static constexpr bool boolean_result = true;
  static constexpr bool differentiable = false;
};
struct Equal : Comparison<Equal> {
  static constexpr auto name = "equal";
  WEFT_EVAL(V x, V y) { return x == y; }
};
struct NotEqual : Comparison<NotEqual> {
  static constexpr auto name = "not_equal";
  WEFT_EVAL(V x, V y) { return x != y; }
};
struct Less : Comparison<Less> {
  static constexpr auto name = "less";
  WEFT_EVAL(V x, V y) { return x < y; }
};
struct LessEqual : Comparison<LessEqual> {
  static constexpr auto name = "less_equal";
  WEFT_EVAL(V x, V y) { return x <= y; }
};
struct Greater : Comparison<Greater> {
  static constexpr auto name = "greater";
  WEFT_EVAL(V x, V y) { return x > y; }
};
struct GreaterEqual : Comparison<GreaterEqual> {
  static constexpr auto name = "greater_equal";
  WEFT_EVAL(V x, V y) { return x >= y; }
};

// What kind of number it is; an integer is finite.
struct IsNan : Comparison<IsNan> {
  static constexpr auto name = "isnan";
  WEFT_EVAL(V x) { return x != x; }
};
struct IsInf : Comparison<IsInf> {
  static constexpr auto name = "isinf";
  WEFT_EVAL(V x) {
    if constexpr (std::is_floating_point_v<Element<V>>)
      return abs(x) == V(math::detail::infinity<V>);
    else
      return x != x;
  }
};
struct IsFinite : Comparison<IsFinite> {
  static constexpr auto name = "isfinite";
  WEFT_EVAL(V x) { return x - x == V(0); }
};
struct SignBit : Comparison<SignBit> {
  static constexpr auto name = "signbit";
  WEFT_EVAL(V x) {
    if constexpr (std::is_floating_point_v<Element<V>>)
      return bits(x) < Int<V>(0);
    else
      return x < V(0);
  }
};

template <class Struct> struct Logical : Elementwise<Struct> {
  static constexpr auto accepts = Accepts::booleans;
  static constexpr bool differentiable = false;
};
struct LogicalAnd : Logical<LogicalAnd> {
  static constexpr auto name = "logical_and";
  WEFT_EVAL(V x, V y) { return x & y; }
};
struct LogicalOr : Logical<LogicalOr> {
  static constexpr auto name = "logical_or";
  WEFT_EVAL(V x, V y) { return x | y; }
};
struct LogicalXor : Logical<LogicalXor> {
  static constexpr auto name = "logical_xor";
  WEFT_EVAL(V x, V y) { return x ^ y; }
};

struct Where : Elementwise<Where> {
  static constexpr auto name = "where";
  static constexpr auto operand_names = "cond a b";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr auto reads = reads::in0;
  static constexpr bool condition = true;
  static constexpr std::uint32_t linear = linear::in1 | linear::in2;
  template <class M, class V> [[gnu::always_inline]] static inline V eval(M m, V a, V b) { return where(m, a, b); }
  static void vjp(Backward& b) {
    if (b.wants(1)) b.give(1, where(b.in(0), b.grad(), 0));
    if (b.wants(2)) b.give(2, where(b.in(0), 0, b.grad()));
  }
};

}  // namespace weft
