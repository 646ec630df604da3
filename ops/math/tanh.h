// tanh and sigmoid.
#pragma once

#include "exp.h"

namespace weft::math {

/// Within 1 ulp, subnormal results included.
template <class V> [[gnu::always_inline]] inline V sigmoid(V x) {
  using namespace detail;
  // y = 1 / (1 + e^|x|), with 1 + e^|x| = 2^n u + (2^n + 1), all scaled by a power of two so that 2^n cannot overflow.
  constexpr double scale = is_f32<V> ? 0x1p-24 : 0x1p-53;
  const auto [r, head, n, i] = reduce_exp(at_most(abs(x), is_f32<V> ? 104 : 746), exponent_bias<V> - (mantissa<V> + 1));
  const V u = expm1_reduced(r), s = from_bits<V>(shl<mantissa<V>>(i));
  const V base = s + V(scale), d = fma(s, u, base);
  // What the roundings of base and d lost, and what the division did: y (1 - rest).
  const V lost = fma(s, u, base - d) - ((base - s) - V(scale));
  const V y = V(1) / d, rest = fma(-y, lost, fma(-y, d, V(1)));
  const V falling = fma(rest, y, y) * V(scale);
  return where(x < V(0), falling, V(1) - falling);
}

/// Within 1 ulp.
template <class V> [[gnu::always_inline]] inline V tanh(V x) {
  using namespace detail;
  const V a = abs(x), z = x * x;
  V p = V(0);
  if constexpr (is_f32<V>)
    // fpminimax(tanh(x), [|3,5,...,15|], [|SG...|], [1b-20;0.9], relative, x); error 2^-29.8
    p = polynomial(z, -0x1.55554ep-2, 0x1.110f38p-3, -0x1.b9ca4ep-5, 0x1.62f1ccp-6, -0x1.0ed7bcp-7, 0x1.529dcep-9,
                   -0x1.ddda5ep-12);
  else
    // fpminimax(tanh(x), [|3,5,...,31|], [|D...|], [1b-20;0.9], relative, x); error 2^-60.2
    p = polynomial(z, -0x1.555555555555p-2, 0x1.1111111110be5p-3, -0x1.ba1ba1b9e2527p-5, 0x1.664f48789966ep-6,
                   -0x1.226e344a473cfp-7, 0x1.d6d3aa74f8c47p-9, -0x1.7da18ade4b88ep-10, 0x1.3547cf0da86c5p-11,
                   -0x1.f4a9f3573c78ap-13, 0x1.928496311c6ebp-14, -0x1.3b32a49263936p-15, 0x1.c94aae781d9ddp-17,
                   -0x1.16fed50730db6p-18, 0x1.e695a24bb8152p-21, -0x1.b3cd4ce53bd5ep-24);
  const V small = fma(z * a, p, a);
  // 1 - 2 / (1 + e^2a), 1 + e^2a as 2^n u + (2^n + 1); beyond the bound it is 1.
  const V b = at_most(a, is_f32<V> ? 10 : 20);
  const auto [r, head, n, i] = reduce_exp(b + b, exponent_bias<V>);
  const V s = from_bits<V>(shl<mantissa<V>>(i)), large = V(1) - V(2) / fma(s, expm1_reduced(r), s + V(1));
  return with_sign(where(a < V(0.9), small, large), x);
}

}  // namespace weft::math
