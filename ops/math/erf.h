// erf.
#pragma once

#include "exp.h"

namespace weft::math {

/// Within 1 ulp.
template <class V> [[gnu::always_inline]] inline V erf(V x) {
  using namespace detail;
  const V a = abs(x), z = x * x, limited = at_most(a, is_f32<V> ? 4 : 6);  // beyond that it is 1
  // Near 0: a + a p(a^2); elsewhere 1 - 2^-l(a) with l = -log2(erfc), found by
  // remez(g*erfc(x), n, I, erfc(x)) for g = -log2(erfc(x)), its coefficients rounded; errors of erf.
  V p = V(0), l = V(0);
  if constexpr (is_f32<V>) {
    // fpminimax(erf(x), [|1,3,...,13|], [|SG...|], [1b-20;0.9], relative, x); error 2^-30.1
    p = polynomial(z, 0x1.06eba8p-3, -0x1.812742p-2, 0x1.ce2dfap-4, -0x1.b80ee8p-6, 0x1.54d5a2p-8, -0x1.aafd0ap-11,
                   0x1.5fff4cp-14);
    // n = 6, I = [0.85;4]; 2^-27.4
    l = polynomial(limited, 0x1.5b0aacp-13, 0x1.a09c2p0, 0x1.d63b6ap-1, 0x1.349b34p-3, -0x1.09ab46p-5, 0x1.25c76cp-8,
                   -0x1.3260dcp-12);
  } else {
    // fpminimax(erf(x), [|1,3,...,25|], [|D...|], [1b-20;0.9], relative, x); error 2^-56.3
    p = polynomial(z, 0x1.06eba8214db69p-3, -0x1.812746b037a03p-2, 0x1.ce2f21a043c63p-4, -0x1.b82ce312d05f3p-6,
                   0x1.565bcd1950c74p-8, -0x1.c02db60d38bdp-11, 0x1.f9a3677c28385p-14, -0x1.f4d7aed3e1ed3p-17,
                   0x1.ba32bf605dba7p-20, -0x1.6244b4f16084p-23, 0x1.0f44e3f889ffbp-26, -0x1.c3320ee0fee5cp-30,
                   0x1.5ca7eb3831d3ep-33);
    // n = 19, I = [0.9;6]; 2^-58
    l = polynomial(limited, -0x1.20f3c0a61fc1p-28, 0x1.a0be85795bdbbp0, 0x1.d63ebb0f235ffp-1, 0x1.2faa19f2ff25ap-3,
                   -0x1.c45cd6589220ap-6, -0x1.1b1be0e9b747ep-12, 0x1.395143172e185p-9, -0x1.9509c99df94fp-11,
                   -0x1.a251e6542bb8fp-15, 0x1.65e69cf5d0b57p-13, -0x1.9dcad1dcf12bep-14, 0x1.36e56d3a245b8p-15,
                   -0x1.5db970a3da937p-17, 0x1.31cb486edbb5cp-19, -0x1.a1807f3e3d2ap-22, 0x1.b69f417d747ep-25,
                   -0x1.573d8463d76cfp-28, 0x1.792e9b81b3ccdp-32, -0x1.03adedf4d08ap-36, 0x1.51017b0624b6p-42);
  }
  const V shift = V(rounder<V> + exponent_bias<V>), t = shift - l, f = (shift - t) - l;
  const V power = from_bits<V>(shl<mantissa<V>>(bits(t)));
  const V large = fma(-power, exp2_reduced(f), V(1));
  return with_sign(where(a < V(0.9), fma(a, p, a), large), x);
}

}  // namespace weft::math
