// Elementwise ops of two operands, and `where`.
#pragma once

#include "elementwise.h"

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
  static void vjp(Backward& b) {
    const Tensor &x = b.in(0), &y = b.in(1);
    if (b.wants(0)) b.give(0, where(equal(y, 0), 0, b.grad() * (y * pow(x, y - 1))));
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
    const Tensor first = b.in(0) >= b.in(1);
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
    const Tensor first = b.in(0) <= b.in(1);
    if (b.wants(0)) b.give(0, where(first, b.grad(), 0));
    if (b.wants(1)) b.give(1, where(first, 0, b.grad()));
  }
};

struct Atan2 : Elementwise<Atan2> {
  static constexpr auto name = "atan2";
  static constexpr auto reads = reads::in0 | reads::in1;
  static constexpr Interval domain{0.3, 3};
  WEFT_EVAL(V y, V x) { return math::atan2(y, x); }
  static void vjp(Backward& b) {
    const Tensor g = b.grad() / (square(b.in(0)) + square(b.in(1)));
    if (b.wants(0)) b.give(0, g * b.in(1));
    if (b.wants(1)) b.give(1, -(g * b.in(0)));
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
