// atan and atan2.
#pragma once

#include "core.h"

namespace weft::math {

namespace detail {

// pi/2 as a sum of two.
template <class V> inline constexpr double half_pi_high = is_f32<V> ? 0x1.921fb6p0 : 0x1.921fb54442d18p0;
template <class V> inline constexpr double half_pi_low = is_f32<V> ? -0x1.777a5cp-25 : 0x1.1a62633145c07p-54;

/// atan(r), |r| <= 1.
template <class V> [[gnu::always_inline]] inline V atan_reduced(V r) {
  const V z = r * r;
  V p = V(0);
  if constexpr (is_f32<V>)
    // fpminimax(atan(x), [|3,5,...,21|], [|SG...|], [1b-20;1], relative, x); error 2^-31.1
    p = polynomial(z, -0x1.555552p-2, 0x1.99981cp-3, -0x1.24761ep-3, 0x1.c51134p-4, -0x1.695258p-4, 0x1.1505b2p-4,
                   -0x1.70718ap-5, 0x1.751176p-6, -0x1.e65e16p-8, 0x1.292c46p-10);
  else
    // fpminimax(atan(x), [|3,5,...,41|], [|D...|], [1b-20;1], relative, x); error 2^-57.6
    p = polynomial(z, -0x1.5555555555526p-2, 0x1.99999999955b4p-3, -0x1.249249237f57dp-3, 0x1.c71c717fcf76dp-4,
                   -0x1.745d11ae74c7ap-4, 0x1.3b13669a2a047p-4, -0x1.110e5126fd02dp-4, 0x1.e1bba66c1a4b8p-5,
                   -0x1.ae5e72c0e6984p-5, 0x1.82dad79d1736p-5, -0x1.59a3ff2ac6667p-5, 0x1.2c2e5ccfd4e26p-5,
                   -0x1.e9fa0da6643e9p-6, 0x1.683cc98472e13p-6, -0x1.c78fcd542af16p-7, 0x1.d7b927bbdceedp-8,
                   -0x1.7a399ad4364a2p-9, 0x1.b3facbcd7bb8ap-11, -0x1.3f364d4b9695cp-13, 0x1.bbed9f7b04237p-17);
  return fma(z * r, p, r);
}

/// pi/2 - angle
template <class V> [[gnu::always_inline]] inline V complement(V angle) {
  return V(half_pi_high<V>) - (angle - V(half_pi_low<V>));
}

}  // namespace detail

template <class V> [[gnu::always_inline]] inline V atan(V x) {
  using namespace detail;
  const V a = abs(x);
  const auto steep = a > V(1);
  const V angle = atan_reduced(where(steep, V(1) / a, a));
  return with_sign(where(steep, complement(angle), angle), x);
}

/// The angle of the point (x, y); all signs of zero and infinities as in C99.
template <class V> [[gnu::always_inline]] inline V atan2(V y, V x) {
  using namespace detail;
  const V ax = abs(x), ay = abs(y);
  const auto steep = ay > ax;
  const V small = where(steep, ax, ay), large = where(steep, ay, ax);
  // 0/0 and inf/inf count as 0 and 1.
  const V angle = atan_reduced(where(ax == ay, where(ax == V(0), V(0), V(1)), small / large));
  const V upright = where(steep, complement(angle), angle);
  const auto left = bits(x) < Int<V>(0);  // also -0
  const V turned = V(2 * half_pi_high<V>) - (upright - V(2 * half_pi_low<V>));
  const V positive = from_bits<V>(where(left, bits(turned), bits(upright)));
  return with_sign(positive, y);
}

}  // namespace weft::math
