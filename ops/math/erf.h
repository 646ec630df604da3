// erf and erfc.
#pragma once

#include "exp.h"

namespace weft::math {

namespace detail {

/// erf(x) / x - 1 for |x| <= 0.9, z = x^2.
template <class V> [[gnu::always_inline]] inline V erf_polynomial(V z) {
  if constexpr (is_f32<V>)
    // fpminimax(erf(x), [|1,3,...,13|], [|SG...|], [1b-20;0.9], relative, x); error 2^-30.1
    return polynomial(z, 0x1.06eba8p-3, -0x1.812742p-2, 0x1.ce2dfap-4, -0x1.b80ee8p-6, 0x1.54d5a2p-8, -0x1.aafd0ap-11,
                      0x1.5fff4cp-14);
  else
    // fpminimax(erf(x), [|1,3,...,25|], [|D...|], [1b-20;0.9], relative, x); error 2^-56.3
    return polynomial(z, 0x1.06eba8214db69p-3, -0x1.812746b037a03p-2, 0x1.ce2f21a043c63p-4, -0x1.b82ce312d05f3p-6,
                      0x1.565bcd1950c74p-8, -0x1.c02db60d38bdp-11, 0x1.f9a3677c28385p-14, -0x1.f4d7aed3e1ed3p-17,
                      0x1.ba32bf605dba7p-20, -0x1.6244b4f16084p-23, 0x1.0f44e3f889ffbp-26, -0x1.c3320ee0fee5cp-30,
                      0x1.5ca7eb3831d3ep-33);
}

}  // namespace detail

/// Within 1 ulp.
template <class V> [[gnu::always_inline]] inline V erf(V x) {
  using namespace detail;
  const V a = abs(x), z = x * x, limited = at_most(a, is_f32<V> ? 4 : 6);  // beyond that it is 1
  // Near 0: a + a p(a^2). Elsewhere 1 - 2^-l(a), l = -log2(erfc(a)) = l0 + w q(w), w = a - a0; l0 has few bits and a0
  // is where rounding it does no harm, so that near 0.9, where it matters, l is nearly exact. q: least squares of l at
  // 120 Chebyshev nodes with the weight erfc(a); the error is erf's.
  constexpr double l0 = is_f32<V> ? 2.2734375 : 2.15625, a0 = is_f32<V> ? 0x1.c9017ep-1 : 0x1.b7e72e5487974p-1;
  const V w = limited - V(a0);
  V q = V(0);
  if constexpr (is_f32<V>) {
    // 0.88 <= a <= 4, each coefficient rounded before the next are fitted; error 2^-28.2
    q = polynomial(w, 0x1.c62760p+1, 0x1.322d32p+0, 0x1.10222p-4, -0x1.04598cp-6, 0x1.7c7142p-9, -0x1.2ee7e2p-12);
  } else {
    // 0.88 <= a <= 6; error 2^-59
    q = polynomial(w, 0x1.bbf4939db62d3p+1, 0x1.30704576e9f01p+0, 0x1.1962e9550c6e4p-4, -0x1.0fad06fa35b6ep-6,
                   0x1.98f72c0109261p-9, -0x1.2565ba174a994p-12, -0x1.857ba4cf322a5p-14, 0x1.f16228986ef5ap-15,
                   -0x1.2cf68f28fc20cp-16, 0x1.798ee0e7bf91ap-19, 0x1.750537ed314c9p-22, -0x1.cc62349b66d6p-22,
                   0x1.7ada19365e5e8p-23, -0x1.a5e3fb80fa0eep-25, 0x1.5a1a76e65c4f2p-27, -0x1.a07b4bfbaaf31p-30,
                   0x1.5d741accaf5ep-33, -0x1.6d84827a72baep-37, 0x1.6645de0edeb15p-42);
  }
  // -l = n + f, n an integer.
  const V shift = V(rounder<V> + exponent_bias<V>), t = shift - fma(w, q, V(l0)), n = t - shift;
  const V f = fma(-w, q, -n - V(l0)), power = from_bits<V>(shl<mantissa<V>>(bits(t)));
  const V large = fma(-power, exp2_reduced(f), V(1));
  return with_sign(where(a < V(0.9), fma(a, erf_polynomial(z), a), large), x);
}

/// Within 2 ulp, down to subnormal results.
template <class V> [[gnu::always_inline]] inline V erfc(V x) {
  using namespace detail;
  // Beyond 1/2: e^(-a^2) / (1 + 2a) times a polynomial in t = (a - k) / (a + k) (Shepherd and Laframboise, Math. Comp.
  // 36, 1981). k is where the constant term needs no more bits than it has.
  constexpr double k = is_f32<V> ? 0x1.0d18p1 : 0x1.23fcp2;
  const V a = at_most(abs(at_least(x, -7)), is_f32<V> ? 10.3 : 27.4);  // there it is 0, and long before -7 it is 2
  // One division for both: 1 / ((a + k) (2a + 1)). t is made exact to its last bit by what its product leaves over.
  const V d = fma(V(2), a, V(1)), d_low = V(1) - (d - (a + a)), sum = a + V(k), both = V(1) / (sum * d);
  const V inverse = sum * both, quotient = (a - V(k)) * (d * both);
  const V t = fma(fma(-quotient, sum, a - V(k)), d * both, quotient);
  constexpr double c0 = is_f32<V> ? 0x1.4649dcp0 : 0x1.3952327dc1edbp0;
  V c = V(0);
  // With x = k(1+t)/(1-t): fpminimax((1+2*x)*exp(x^2)*erfc(x), n, [|SG...|] or [|D...|], 0.49 <= x, relative)
  if constexpr (is_f32<V>)  // n = 10, x <= 10.2; error 2^-31.5
    c = polynomial(t, -0x1.9c6162p-4, -0x1.35c796p-3, 0x1.53c6a2p-3, -0x1.12f6b6p-4, -0x1.3bec84p-11, 0x1.325d9ap-7,
                   -0x1.c3950ap-12, -0x1.9d0482p-10, -0x1.bc3842p-17, 0x1.077a26p-12);
  else  // n = 22, x <= 27.3; error 2^-60.6
    c = polynomial(t, -0x1.170329ddfb8e2p-3, 0x1.1fed208db6611p-5, 0x1.4ce29da2f433fp-5, -0x1.4d3b420fb6862p-4,
                   0x1.6e8b157854a4p-4, -0x1.3659c70b47da5p-4, 0x1.b2965ca861878p-5, -0x1.00461a641c39ep-5,
                   0x1.fa12889e387b3p-7, -0x1.95e205c38dacep-8, 0x1.e827294e9ded8p-10, -0x1.489dc58343387p-12,
                   -0x1.697a960226c9dp-15, 0x1.930a78087909bp-15, -0x1.a2a6bf4e08c46p-17, -0x1.570092e34b6a7p-20,
                   0x1.e6296a9cc9c4dp-20, -0x1.5807054a26dbbp-22, -0x1.4047fc8f88d6ap-23, 0x1.1e1da5460d8a4p-24,
                   0x1.ef041543fb4fp-28, -0x1.c1347f5e56ab5p-28);
  const V p = fma(c, t, V(c0)), p_low = fma(c, t, V(c0) - p);
  const V y = p * inverse, y_low = (fma(-y, d, p) + fma(-y, d_low, p_low)) * inverse;
  // a^2 as a sum of two.
  const V square = a * a, square_low = fma(a, a, -square);
  const auto reduced = reduce_exp(-square);
  const V power = power_less_one(reduced, square_low);
  const V tail = scaled_or_zero(y + fma(y, power, fma(y_low, power, y_low)), reduced.n);
  const V outer = where(x < V(0), V(2) - tail, tail);
  return where(abs(x) < V(0.5), V(1) - fma(x, erf_polynomial(x * x), x), outer);
}

}  // namespace weft::math
