// x as turns, for any finite x of f32: the reduction of sin, cos and tan.
#pragma once

#include "core.h"

namespace weft::math::detail {

/// n + f, in f64, with |f| < 1/2 + 1/9; only the low bits of the integer n count, which stand in those of `shifted`.
template <class D> struct Turns { D f, shifted; };

/// Of an a >= 0 that was an f32, in parts of which a turn, 2 pi, has `parts`, 2 or 4; whole turns may be missing. Half
/// turns are a t, with t = 1/pi; for a >= 2^(s + 23), t = 2^s 1/pi mod 2: 2^-s a is an integer, so that what the
/// modulus drops is a multiple of 2. t is a sum of two; the product is below 2^50, so that bits behind its point are
/// there.
template <class D> [[gnu::always_inline]] inline Turns<D> turns_of_f32(D a, double parts) {
  const double scale = 0.5 * parts;
  D t = D(scale * 0x1.45f306dc9c883p-2), t_low = D(scale * -0x1.6b01ec5417056p-56);
  const auto step = [&](double from, double factor, double high, double low) __attribute__((always_inline)) {
    const auto beyond = a >= D(from);
    t = where(beyond, D(scale * factor * high), t);
    t_low = where(beyond, D(scale * factor * low), t_low);
  };
  // t = 2^s/pi; t = t - 2*nearestint(t/2); round(t,53,RN); round(t-round(t,53,RN),53,RN)
  step(0x1p50, 0x1p-27, -0x1.1b1bbead603d9p-2, 0x1.5f47d4d377037p-56);
  step(0x1p77, 0x1p-54, 0x1.4a7f09d5f47d5p-1, -0x1.6447e493ad4cep-56);
  step(0x1p102, 0x1p-79, -0x1.505c1596447e5p-3, 0x1.b14acc9e21c82p-57);
  const D p = a * t, rest = fma(a, t_low, fma(a, t, -p)), shift = D(rounder<D>), shifted = p + shift;
  return {(p - (shifted - shift)) + rest, shifted};
}

}  // namespace weft::math::detail
