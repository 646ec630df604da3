// Special functions.
#pragma once

#include <array>
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
    b.give(0, b.grad() * (i0(b.in()) - quotient(b.in(), b.out())));
  }
  // i1(x) / x. Near 0, where derivatives of a quotient cancel, half the sum of (x^2 / 4)^k / (k! (k + 1)!).
  static Tensor quotient(const Tensor& x, const Tensor& i1) {
    const Tensor near = abs(x) < 1, u = square(where(near, x, 0)) * 0.25;
    double factor = 1;
    std::array<double, 12> terms;
    for (std::size_t k = 0; k < terms.size(); factor /= static_cast<double>((k + 1) * (k + 2)), ++k) terms[k] = factor;
    Tensor sum = u * (terms.back() / 2);
    for (std::size_t k = terms.size() - 1; k-- > 1;) sum = (sum + terms[k] / 2) * u;
    return where(near, sum + 0.5, i1 / where(near, 1, x));
  }
};

}  // namespace weft
