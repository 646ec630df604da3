// fmod, remainder and floor_divide: exact, for quotients of any size.
#pragma once

#include <type_traits>

#include "exp.h"

namespace weft::math {

namespace detail {

/// x = m 2^e, 1 <= m < 2; x > 0, finite.
template <class V> struct Normal { V m, e; };
template <class V> [[gnu::always_inline]] inline Normal<V> normal(V x) {
  constexpr double step = is_f32<V> ? 0x1p23 : 0x1p52;
  const auto subnormal = x < V(smallest_normal<V>);
  const Int<V> i = bits(where(subnormal, x * V(step), x));
  const V e =
      to_float<V>(sar<mantissa<V>>(i)) - where(subnormal, V(exponent_bias<V> + mantissa<V>), V(exponent_bias<V>));
  return {from_bits<V>((i & Int<V>((std::int64_t{1} << mantissa<V>)-1)) | Int<V>(bits_of_one<V>)), e};
}

/// |x| mod |y|; NaN of an infinite x and of y = 0.
template <class V> [[gnu::always_inline]] inline V positive_remainder(V x, V y) {
  const V a = abs(x), b = abs(y);
  const auto [r0, a_exponent] = normal(a);
  const auto [m, b_exponent] = normal(b);
  // Long division: each step brings down some bits of a's and takes away a multiple of m. The multiple is rounded to
  // nearest and may be one off: |r| < 0.8 m, a number of m's grid, so that every step is exact.
  constexpr int bits_of_step = mantissa<V> - 2;
  constexpr int steps = (2 * exponent_bias<V> + mantissa<V> + bits_of_step - 1) / bits_of_step;
  V r = r0, left = at_least(a_exponent - b_exponent, 0);
  const V inverse = V(1) / m;
  for (int step = 0; step < steps; ++step) {
    const V n = at_most(left, bits_of_step);
    left = left - n;
    r = r * from_bits<V>(shl<mantissa<V>>(bits(n + V(rounder<V> + exponent_bias<V>))));
    r = fma(-nearest(r * inverse), m, r);
  }
  r = where(r < V(0), r + m, r);
  const V result = where(a < b, a, scalb(r, b_exponent));
  return where((a < V(infinity<V>)) & (b > V(0)), result, V(not_a_number<V>));
}

template <class V> [[gnu::always_inline]] inline Mask<V> signs_differ(V x, V y) { return (x < V(0)) ^ (y < V(0)); }

}  // namespace detail

/// C's fmod: the sign of x. Of integers: 0 where y is 0.
template <class V> [[gnu::always_inline]] inline V fmod(V x, V y) {
  if constexpr (std::is_floating_point_v<Element<V>>)
    return detail::with_sign(detail::positive_remainder(x, y), x);
  else
    return where(y == V(0), V(0), x - x / y * y);
}

/// Python's %: the sign of y. Of integers: 0 where y is 0.
template <class V> [[gnu::always_inline]] inline V remainder(V x, V y) {
  using namespace detail;
  if constexpr (std::is_floating_point_v<Element<V>>) {
    const V r = positive_remainder(x, y);
    return with_sign(where(signs_differ(x, y) & (r != V(0)), abs(y) - r, r), y);
  } else {
    const V r = fmod(x, y);
    return where((r != V(0)) & signs_differ(r, y), r + y, r);
  }
}

/// Python's //: the largest integer that is not above x / y; NaN of an infinite x, ±inf of x / 0. Of integers: 0 where
/// y is 0.
template <class V> [[gnu::always_inline]] inline V floor_divide(V x, V y) {
  using namespace detail;
  if constexpr (std::is_floating_point_v<Element<V>>) {
    // The quotient may have been rounded up to an integer: then what it leaves of x has not y's sign.
    const V q = x / y, whole = floor(q), rest = fma(-whole, y, x);
    const auto above = (whole == q) & (abs(rest) > V(0)) & signs_differ(rest, y);
    const auto vanished = (whole == V(0)) & (x != V(0)) & signs_differ(x, y);
    const V result = where(vanished, V(-1), where(above, whole - V(1), whole));
    return where((abs(x) == V(infinity<V>)) & (y != V(0)), V(not_a_number<V>), result);
  } else {
    const V q = x / y;
    return where((x - q * y != V(0)) & signs_differ(x, y) & (y != V(0)), q - V(1), q);
  }
}

}  // namespace weft::math
