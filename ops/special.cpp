#include "special.h"

#include <numbers>

#include "defs/special.h"
#include "in_compute_type.h"

namespace weft {

Tensor lgamma(const Arg& x) { return detail::unary<Lgamma>(x); }
Tensor digamma(const Arg& x) { return detail::unary<Digamma>(x); }
Tensor erfinv(const Arg& x) { return detail::unary<Erfinv>(x); }
Tensor i0(const Arg& x) { return detail::unary<I0>(x); }
Tensor i1(const Arg& x) { return detail::unary<I1>(x); }

Tensor trigamma(const Arg& x) {
  return detail::in_compute_type("trigamma", x, [](const Tensor& t) {
    // Of y >= 1/2: 1/y^2 + ... + 1/(y+7)^2, and at z = y + 8 1/z + 1/(2z^2) + B(2k) / z^(2k+1). Below 1/2 by
    // reflection: trigamma(t) + trigamma(1 - t) = (pi / sin(pi t))^2.
    const Tensor below = t < 0.5, y = where(below, 1 - t, t), inverse = reciprocal(y + 8), u = square(inverse);
    constexpr double bernoulli[] = {1. / 6,       -1. / 30, 1. / 42,      -1. / 30,    5. / 66,
                                    -691. / 2730, 7. / 6,   -3617. / 510, 43867. / 798};
    Tensor series = u * bernoulli[8];
    for (int k = 7; k >= 0; --k) series = (series + bernoulli[k]) * u;
    Tensor sum = inverse * (series + inverse * 0.5 + 1);
    for (int k = 7; k >= 0; --k) sum = sum + square(reciprocal(y + k));
    // The sine has the period 2, its square 1, and what is left of t is exact.
    const Tensor sine = sin(where(below, t - round(t), 0.5) * std::numbers::pi);
    return where(below, square(std::numbers::pi / sine) - sum, sum);
  });
}

}  // namespace weft
