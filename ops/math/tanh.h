// tanh and sigmoid.
#pragma once

#include "exp.h"

namespace weft::math {

/// Within 1 ulp, subnormal results included.
template <class V> [[gnu::always_inline]] inline V sigmoid(V x) {
  using namespace detail;
  // y = 1 / (1 + e^|x|), with 1 + e^|x| = 2^n u + (2^n + 1), all scaled by a power of two so that 2^n cannot overflow.
  constexpr double scale = is_f32<V> ? 0x1p-24 : 0x1p-53;
  // Beyond the bound it is 0, and is not computed: subnormal numbers on the way cost the processor a hundred cycles.
  const auto beyond = abs(x) > V(is_f32<V> ? 104 : 746);
  const auto reduced = reduce_exp(where(beyond, V(0), abs(x)), exponent_bias<V> - (mantissa<V> + 1));
  // head takes r's place: what n ln2_low changes is less than an ulp, and is known at the end.
  const V s = reduced.power(), su = s * expm1_reduced(reduced.head);
  const V base = s + V(scale), d = base + su, y = V(1) / d;
  // What the roundings of base and d lost, and what the division did: y (1 + rest).
  const V lost = (su - (d - base)) + (V(scale) - (base - s));
  const V rest = fma(-y, lost, fma(reduced.n, V(ln2_low<V>), fma(-y, d, V(1))));
  const V falling = where(beyond, V(0), fma(rest, y, y)) * V(scale);
  return where(x < V(0), falling, V(1) - falling);
}

/// Within 1 ulp.
template <class V> [[gnu::always_inline]] inline V tanh(V x) {
  using namespace detail;
  const V a = abs(x), z = x * x;
  // One division for both: a - z a / q near 0, elsewhere 1 - 2 / (1 + e^2a).
  V q = V(0);
  if constexpr (is_f32<V>)
    // With g = x^3/(x-tanh(x)), w = (x-tanh(x))/tanh(x)/g:
    // fpminimax(g*w, [|w,x^2*w,...,x^6*w|], [|SG...|], [1b-3;0.9], absolute); error of tanh 2^-29.9
    q = polynomial(z, 0x1.800002p1, 0x1.3332fap0, -0x1.759418p-8, 0x1.e69caap-13);
  else
    // The same with [|w,x^2*w,...,x^16*w|], [|D...|]; error of tanh 2^-63.2
    q = polynomial(z, 3, 0x1.333333333332bp0, -0x1.767dce433c9dcp-8, 0x1.0a4e157bfc067p-12, -0x1.997cb26a65b88p-17,
                   0x1.417492b07358bp-21, -0x1.fba0ea8b306c5p-26, 0x1.8caf96b7c053bp-30, -0x1.0795f7663d125p-34);
  // 1 + e^2a as 2^n u + (2^n + 1); beyond the bound tanh is 1.
  const V b = at_most(a, is_f32<V> ? 10 : 20);
  const auto reduced = reduce_exp(b + b, exponent_bias<V>);
  const V s = reduced.power();
  const V d = fma(s, expm1_reduced(is_f32<V> ? reduced.head : reduced.r()), s + V(1));  // f32's ln2_low is tiny
  const auto small = a < V(0.9);
  return with_sign(where(small, a, V(1)) - where(small, z * a, V(2)) / where(small, q, d), x);
}

}  // namespace weft::math
