// tanh and sigmoid.
#pragma once

#include "exp.h"

namespace weft::math {

/// Within 1 ulp, subnormal results included.
template <class V> [[gnu::always_inline]] inline V sigmoid(V x) {
  using namespace detail;
  // y = 1 / (1 + e^|x|), with 1 + e^|x| = 2^n u + (2^n + 1), all scaled by a power of two so that 2^n cannot overflow.
  constexpr double scale = is_f32<V> ? 0x1p-24 : 0x1p-53;
  const auto [r, i] = reduce_exp(at_most(abs(x), is_f32<V> ? 104 : 746), exponent_bias<V> - (mantissa<V> + 1));
  const V u = expm1_reduced(r), s = from_bits<V>(shl<mantissa<V>>(i));
  const V base = s + V(scale), d = fma(s, u, base);
  // What the roundings of base and d lost, and what the division did: y (1 - rest).
  const V lost = fma(s, u, base - d) - ((base - s) - V(scale));
  const V y = V(1) / d, rest = fma(-y, lost, fma(-y, d, V(1)));
  const V falling = fma(rest, y, y) * V(scale);
  return where(x < V(0), falling, V(1) - falling);
}

template <class V> [[gnu::always_inline]] inline V tanh(V x) {
  using namespace detail;
  const V a = abs(x), z = x * x;
  V p = V(0);
  if constexpr (is_f32<V>)
    // fpminimax(tanh(x), [|3,5,...,13|], [|SG...|], [1b-20;0.75], relative, x); error 2^-29.1
    p = polynomial(z, -0x1.55554ap-2, 0x1.110ddap-3, -0x1.b98108p-5, 0x1.5f9082p-6, -0x1.f662fep-8, 0x1.c8975p-10);
  else
    // fpminimax(tanh(x), [|3,5,...,27|], [|D...|], [1b-20;0.75], relative, x); error 2^-59.2
    p = polynomial(z, -0x1.555555555554ap-2, 0x1.111111111046cp-3, -0x1.ba1ba1b97e48fp-5, 0x1.664f4863ed5fap-6,
                   -0x1.226e31ccb6e85p-7, 0x1.d6d3487b2da92p-9, -0x1.7d9c7b3ecf34cp-10, 0x1.35196cbc46674p-11,
                   -0x1.f25434d311fd8p-13, 0x1.87f08da0c104ap-14, -0x1.1a065b9617091p-15, 0x1.3e92ef27c5763p-17,
                   -0x1.8ef15ab648467p-20);
  const V small = fma(z * a, p, a);
  // 1 - 2 / (1 + e^2a), 1 + e^2a as 2^n u + (2^n + 1); beyond the bound it is 1.
  const V b = at_most(a, is_f32<V> ? 10 : 20);
  const auto [r, i] = reduce_exp(b + b, exponent_bias<V>);
  const V s = from_bits<V>(shl<mantissa<V>>(i)), large = V(1) - V(2) / fma(s, expm1_reduced(r), s + V(1));
  return with_sign(where(a < V(0.75), small, large), x);
}

}  // namespace weft::math
