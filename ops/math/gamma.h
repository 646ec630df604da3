// lgamma. An f32 is computed in f64.
#pragma once

#include "log.h"
#include "two.h"

namespace weft::math {

namespace detail {

/// sin(pi t) / pi for 0 <= t <= 1/2, in f64, as a sum of two.
template <class D> [[gnu::always_inline]] inline Two<D> sin_of_turns(D t) {
  // Beyond 0.3 it is cos(pi v) / pi.
  const D v = D(0.5) - t, z = t * t, y = v * v;
  // tools/fit.py sin: error 2^-58.0
  const D s = t * z *
              polynomial(z, -0x1.a51a6625307d3p0, 0x1.9f9cb402bc46cp-1, -0x1.86a8e4720db67p-3, 0x1.ac6805cf3509dp-6,
                         -0x1.33816aa45f7e7p-9, 0x1.374719f8b94b5p-13, -0x1.d42494280ebf1p-18, 0x1.0fc65e81ef402p-22,
                         -0x1.f1387685e1477p-28);
  // tools/fit.py cos: error 2^-55.8
  const D p = polynomial(y, -0x1.3bd3cc9be45dep2, 0x1.03c1f081b5ac4p2, -0x1.55d3c7e3cbffap0, 0x1.e1f506891b96cp-3,
                         -0x1.a6d1f2a1c4737p-6, 0x1.f9d3896150989p-10, -0x1.b6e0c3cde2762p-14, 0x1.1f499c56549p-18);
  const auto sine = ordered_sum(t, s), cosine = last_step(y, p, 1);
  const auto part = two_product(cosine.high, D(0x1.45f306dc9c883p-2));
  const D part_low = fma(cosine.high, D(-0x1.6b01ec5417056p-56), fma(cosine.low, D(0x1.45f306dc9c883p-2), part.low));
  const auto small = t <= D(0.3);
  return {where(small, sine.high, part.high), where(small, sine.low, part_low)};
}

/// log(gamma(a)) for a >= 0, as a sum of two.
template <class D> [[gnu::always_inline]] inline Two<D> lgamma_of_positive(D a) {
  // Below 8: a = y + n with 1.375 <= y < 2.375, gamma(a) = gamma(y) p, p = y (y+1) ... (a-1), or divided by a (a+1) ...
  const D n = floor(a - D(1.375)), w = a - (n + D(2)), next = a + D(1);
  const auto first = two_product(a, next);
  D p = where(n < D(-1), first.high, where(n < D(0), a, D(1)));
  for (int k = 1; k <= 6; ++k) p = p * where(n >= D(k), a - D(k), D(1));
  const auto far = a >= D(8);
  const auto [e, f] = reduce_log(where(far, a, p));
  const auto [high, low] = log_parts(e, f);
  const D p_low = where(n < D(-1), fma(a, a - (next - D(1)), first.low) / p, D(0));
  // log(gamma(2 + w)) / w. tools/fit.py lgamma: error 2^-56.5
  const D inner = polynomial(
      w, 0x1.51322ac7d8483p-6, -0x1.e404fc218f5e2p-8, 0x1.7add6eadb6c87p-9, -0x1.38ac5c2bfa11ep-10,
      0x1.0b36af8633043p-11, -0x1.d3fd4c755eedbp-13, 0x1.a127b0f9f84p-14, -0x1.78de5c567444ap-15, 0x1.580dcb8f6358bp-16,
      -0x1.3cbc7da7e1fd5p-17, 0x1.2598723cb635bp-18, -0x1.11b55d55c7429p-19, 0x1.0046342f015d5p-20,
      -0x1.e24a6892153b8p-22, 0x1.ccb9d8eb66f6cp-23, -0x1.a754609f63a82p-24, 0x1.5ea87a50a3d8p-25,
      -0x1.239b47a2bbb72p-25, 0x1.ffbbc65fef83ap-27, 0x1.046c575c96a32p-26, 0x1.1accd3e8f09d3p-26);
  const auto q = last_steps(Two<D>{w, D(0)}, inner, 0x1.b0ee6072093cep-2, 0x1.4a34cc4a60fa6p-2, -0x1.13e001a557607p-4);
  const auto t = two_product(w, q.high);
  const auto below = n < D(0);
  const auto near = two_sum(t.high, where(below, -high, high));
  const D near_low = near.low + (fma(w, q.low + fma(w, D(0x1.1876959527d1cp-56), D(0x1.6cba10f215e64p-58)), t.low) +
                                 where(below, -(low + p_low), low));
  // Stirling: (a - 1/2) (log(a) - 1) + log(2 pi)/2 - 1/2 + B(2k) / (2k (2k-1)) a^(1-2k).
  const D inverse = D(1) / a, m = a - D(0.5);
  const D series = inverse * polynomial(inverse * inverse, 1. / 12, -1. / 360, 1. / 1260, -1. / 1680, 1. / 1188,
                                        -691. / 360360, 1. / 156, -3617. / 122400, 43867. / 244188, -174611. / 125400);
  const auto s = two_product(m, high - D(1)), stirling = ordered_sum(s.high, D(0x1.acfe390c97d69p-2));
  const D far_low = stirling.low + (fma(m, low, s.low) + series);
  const D result = where(far, stirling.high, near.high), rest = where(far, far_low, near_low);
  const auto finite = (a > D(0)) & (s.high < D(infinity<D>));
  return {where(finite | (a != a), result, D(infinity<D>)), where(finite, rest, D(0))};
}

}  // namespace detail

/// log(|gamma(x)|); inf at 0, -1, -2, ... Within 2 ulp, but where x < 0 and the result is small beside its parts.
template <class V> [[gnu::always_inline]] inline V lgamma(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(lgamma(convert<Rebind<V, double>>(x)));
  } else {
    // gamma(-a) gamma(a) = pi / (a |sin(pi a)|); for a tiny a gamma(-a) is gamma(a).
    const V a = abs(x), turns = abs(a - nearest(a));
    const auto positive = lgamma_of_positive(a), sine = sin_of_turns(turns), product = two_product(a, sine.high);
    const auto [e, f] = reduce_log(product.high);
    const auto log = log_parts(e, f);
    const auto sum = two_sum(positive.high, log.high);
    const V sum_low = sum.low + ((positive.low + log.low) + fma(a, sine.low, product.low) / product.high);
    const V reflected = where((turns == V(0)) | (a == V(infinity<V>)), V(infinity<V>), -(sum.high + sum_low));
    return where((x < V(0)) & (a > V(0x1p-60)), reflected, positive.sum());
  }
}

}  // namespace weft::math
