// lgamma and digamma. An f32 is computed in f64.
#pragma once

#include "log.h"

namespace weft::math {

namespace detail {

/// sin(pi x) for |x| <= 1/2, in f64.
template <class D> [[gnu::always_inline]] inline D sin_of_turns(D x) {
  // fpminimax(sin(pi*x), [|1,3,...,17|], [|D...|], [1b-20;0.5], relative); error 2^-54.5
  return x * polynomial(x * x, 0x1.921fb54442d18p1, -0x1.4abbce625be39p2, 0x1.466bc67759fccp1, -0x1.32d2cce5e66ebp-1,
                        0x1.5078346ab7577p-4, -0x1.e30741a6bb5aep-8, 0x1.e8f023f7a40efp-12, -0x1.6f05370861cebp-16,
                        0x1.8f9e5e4314fd1p-21);
}

/// log(gamma(a)) for a >= 0.
template <class D> [[gnu::always_inline]] inline D lgamma_of_positive(D a) {
  // Below 8: a = y + n with 1.5 <= y < 2.5, gamma(a) = gamma(y) p, p = y (y+1) ... (a-1), or divided by a (a+1) ...
  const D n = floor(a - D(1.5)), w = a - (n + D(2));
  D p = where(n < D(-1), a * (a + D(1)), where(n < D(0), a, D(1)));
  for (int k = 1; k <= 6; ++k) p = p * where(n >= D(k), a - D(k), D(1));
  const auto far = a >= D(8);
  const auto [e, f] = reduce_log(where(far, a, p));
  const auto [high, low] = log_parts(e, f);
  // log(gamma(2 + w)) / w, from its series in zeta(k) - 1: fpminimax(.., 17, [|D...|], [-0.5;0.5], relative);
  // error 2^-56
  const D q = polynomial(w, 0x1.b0ee6072093cep-2, 0x1.4a34cc4a60fa8p-2, -0x1.13e001a55754bp-4, 0x1.51322ac7d6f48p-6,
                         -0x1.e404fc21da571p-8, 0x1.7add6eb025aa4p-9, -0x1.38ac5bfcaae77p-10, 0x1.0b36ae8144ec5p-11,
                         -0x1.d3fd6a8d4a0ddp-13, 0x1.a12827609170cp-14, -0x1.78d8fb8044befp-15, 0x1.57fe177b3f074p-16,
                         -0x1.3d4c8921a1cbep-17, 0x1.26d71d451864ap-18, -0x1.09015d390adedp-19, 0x1.e337f1ff15bc5p-21,
                         -0x1.37e8566c77aa8p-21, 0x1.3f787b4e4a4b1p-22);
  const D near = where(n < D(0), fma(w, q, -high) - low, fma(w, q, high) + low);
  // Stirling: (a - 1/2) log(a) - a + log(2 pi)/2 + B(2k) / (2k (2k-1)) a^(1-2k).
  const D inverse = D(1) / a, t = a - D(0.5), s = t * high, s_low = fma(t, high, -s) + t * low;
  const D series = inverse * polynomial(inverse * inverse, 1. / 12, -1. / 360, 1. / 1260, -1. / 1680, 1. / 1188,
                                        -691. / 360360, 1. / 156, -3617. / 122400, 43867. / 244188, -174611. / 125400);
  const D stirling = ((s - a) + (D(0.91893853320467274178) + series)) + where(s < D(infinity<D>), s_low, D(0));
  return where((a == D(0)) | (a == D(infinity<D>)), D(infinity<D>), where(far, stirling, near));
}

}  // namespace detail

/// log(|gamma(x)|); inf at 0, -1, -2, ...
template <class V> [[gnu::always_inline]] inline V lgamma(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(lgamma(convert<Rebind<V, double>>(x)));
  } else {
    // gamma(-a) gamma(a) = pi / (a |sin(pi a)|); for a tiny a gamma(-a) is gamma(a).
    const V a = abs(x), turns = abs(a - nearest(a)), positive = lgamma_of_positive(a);
    const auto [e, f] = reduce_log(a * sin_of_turns(turns) * V(0x1.45f306dc9c883p-2));
    const V reflected =
        where((turns == V(0)) | (a == V(infinity<V>)), V(infinity<V>), -(positive + log_parts(e, f).sum()));
    return where((x < V(0)) & (a > V(0x1p-60)), reflected, positive);
  }
}

/// The derivative of lgamma; -inf at 0, inf at -0, NaN at -1, -2, ...
template <class V> [[gnu::always_inline]] inline V digamma(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(digamma(convert<Rebind<V, double>>(x)));
  } else {
    // digamma(1 + a), a = |x|: below 8 that of a + 8, less 1/(a+1) + ... + 1/(a+7) = up / down.
    const V a = abs(x), inverse_a = V(1) / a;
    const auto near = a < V(8);
    const V z = where(near, a + V(8), a);
    V up = V(1), down = a + V(1);
    for (int k = 2; k < 8; ++k) {
      const V t = a + V(k);
      up = fma(up, t, down);
      down = down * t;
    }
    // log(z) - 1/(2z) - B(2k) / (2k) z^(-2k).
    const V inverse = V(1) / z, u = inverse * inverse;
    const V series = u * polynomial(u, 1. / 12, -1. / 120, 1. / 252, -1. / 240, 1. / 132, -691. / 32760, 1. / 12,
                                    -3617. / 8160, 43867. / 14364, -174611. / 6600);
    const V of_z = log(z) - (V(0.5) * inverse + series), after = where(near, of_z - up / down, of_z + inverse_a);
    const V positive = where(near, after - inverse_a, of_z);
    // digamma(-a) = digamma(1 + a) + pi cot(pi a).
    const V turns = a - nearest(a), cotangent = sin_of_turns(V(0.5) - abs(turns)) / sin_of_turns(turns);
    const V reflected = fma(V(0x1.921fb54442d18p1), cotangent, after);
    const V result = where(x < V(0), where(turns == V(0), V(not_a_number<V>), reflected), positive);
    return where(x == V(0), with_sign(V(infinity<V>), -x), result);
  }
}

}  // namespace weft::math
