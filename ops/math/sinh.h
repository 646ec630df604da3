// sinh and cosh.
#pragma once

#include "exp.h"

namespace weft::math {

namespace detail {

/// With a = n ln 2 + r: half of cosh(n ln 2) and of sinh(n ln 2), and the parts of sinh(r) = r + odd and
/// cosh(r) = 1 + even; `lost` is what the rounding of half_cosh lost. Halves, because the results themselves may
/// overflow.
template <class V> struct Hyperbolic { V half_cosh, half_sinh, lost, r, odd, even; };
template <class V> [[gnu::always_inline]] inline Hyperbolic<V> hyperbolic(V a) {
  // Beyond the bound the result is inf. s = 2^(n-2), t = 2^(-n-2), which soon counts for nothing.
  const auto reduced = reduce_exp(at_most(a, is_f32<V> ? 89.5 : 710.5), exponent_bias<V> - 2);
  const V s = reduced.power(), r = reduced.r(), z = r * r;
  const V reciprocal = from_bits<V>(Int<V>(std::int64_t{2 * exponent_bias<V> - 4} << mantissa<V>) - bits(s));
  const V t = where(reduced.n > V(mantissa<V> + 10), V(0), reciprocal);
  const V r_low = fma(reduced.n, V(-ln2_low<V>), reduced.head - r);
  V p = V(0), q = V(0);
  if constexpr (is_f32<V>) {
    // fpminimax(sinh(x), [|3,5,7|], [|SG...|], [1b-20;0.34675], relative, x); error 2^-34.1
    p = polynomial(z, 0x1.555556p-3, 0x1.110fe2p-7, 0x1.a28f38p-13);
    // fpminimax(cosh(x), [|4,6|], [|SG...|], [1b-20;0.34675], relative, 1+x^2/2); error 2^-33.3
    q = polynomial(z, 0.5, 0x1.5554e6p-5, 0x1.6d4f1p-10);
  } else {
    // fpminimax(sinh(x), [|3,5,...,13|], [|D...|], [1b-20;0.34675], relative, x); error 2^-64.8
    p = polynomial(z, 0x1.5555555555555p-3, 0x1.111111111130bp-7, 0x1.a01a019f12f44p-13, 0x1.71de3e3a4d80bp-19,
                   0x1.ae568c0d71d38p-26, 0x1.73e17d46d3072p-33);
    // fpminimax(cosh(x), [|4,6,...,12|], [|D...|], [1b-20;0.34675], relative, 1+x^2/2); error 2^-70
    q = polynomial(z, 0.5, 0x1.5555555555558p-5, 0x1.6c16c16c1500dp-10, 0x1.a01a01ad76188p-16, 0x1.27e4cc292d7f6p-22,
                   0x1.1f8bb21ba002bp-29);
  }
  const V sum = s + t;
  return {sum, s - t, t - (sum - s), r, fma(z * r, p, r_low), z * q};
}

}  // namespace detail

template <class V> [[gnu::always_inline]] inline V sinh(V x) {
  using namespace detail;
  const V a = abs(x);
  const auto h = hyperbolic(a);
  const V half = fma(h.half_cosh, h.r, h.half_sinh) + fma(h.half_cosh, h.odd, h.half_sinh * h.even);
  return with_sign(where(a < V(is_f32<V> ? 0x1p-13 : 0x1p-27), a, half + half), x);  // tiny: half may be subnormal
}

template <class V> [[gnu::always_inline]] inline V cosh(V x) {
  using namespace detail;
  const auto h = hyperbolic(abs(x));
  const V half = fma(h.half_sinh, h.r, h.half_cosh) + (fma(h.half_sinh, h.odd, h.half_cosh * h.even) + h.lost);
  return half + half;
}

}  // namespace weft::math
