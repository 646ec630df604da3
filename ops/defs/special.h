// Special functions.
#pragma once

#include <numbers>

#include "../special.h"
#include "elementwise.h"

namespace weft {

struct Lgamma : Elementwise<Lgamma> {
  static constexpr auto name = "lgamma";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{0.3, 4};
  WEFT_EVAL(V x) { return math::lgamma(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * digamma(b.in())); }
};

struct Digamma : Elementwise<Digamma> {
  static constexpr auto name = "digamma";
  static constexpr auto reads = reads::in0;
  static constexpr Interval domain{0.4, 4};
  WEFT_EVAL(V x) { return math::digamma(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * trigamma(b.in())); }
};

struct Erfinv : Elementwise<Erfinv> {
  static constexpr auto name = "erfinv";
  static constexpr auto reads = reads::out0;
  static constexpr Interval domain{-0.9, 0.9};
  WEFT_EVAL(V x) { return math::erfinv(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * (exp(square(b.out())) * (0.5 / std::numbers::inv_sqrtpi))); }
};

struct I0 : Elementwise<I0> {
  static constexpr auto name = "i0";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return math::i0(x); }
  static void vjp(Backward& b) { b.give(0, b.grad() * i1(b.in())); }
};

struct I1 : Elementwise<I1> {
  static constexpr auto name = "i1";
  static constexpr auto reads = reads::in0 | reads::out0;
  WEFT_EVAL(V x) { return math::i1(x); }
  static void vjp(Backward& b) {  // i0(x) - i1(x) / x
    const Tensor zero = equal(b.in(), 0);
    b.give(0, b.grad() * (i0(b.in()) - where(zero, 0.5, b.out() / where(zero, 1, b.in()))));
  }
};

}  // namespace weft
