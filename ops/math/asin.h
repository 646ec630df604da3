// asin and acos.
#pragma once

#include "atan.h"

namespace weft::math {

namespace detail {

/// asin(s) = s + rest, with s = |x| up to 1/2, and sqrt((1 - |x|) / 2) beyond: half the angle between x and ±1.
template <class V> struct Arc {
  Mask<V> outer;
  V s, rest;
};
template <class V> [[gnu::always_inline]] inline Arc<V> arc_of(V x) {
  const V a = abs(x);
  const auto outer = a > V(0.5);
  const V z = where(outer, V(0.5) * (V(1) - a), x * x), s = where(outer, sqrt(z), a);
  V p = V(0);
  if constexpr (is_f32<V>)
    // fpminimax(asin(x), [|3,5,...,13|], [|SG...|], [1b-20;0.5+1b-10], relative, x); error 2^-31.7
    p = polynomial(z, 0x1.55554cp-3, 0x1.3338a8p-4, 0x1.6ca844p-5, 0x1.04c96ep-5, 0x1.d5bf46p-7, 0x1.348ceap-5);
  else
    // fpminimax(asin(x), [|3,5,...,27|], [|D...|], [1b-20;0.5+1b-10], relative, x); error 2^-59.8
    p = polynomial(z, 0x1.5555555555579p-3, 0x1.333333332dca4p-4, 0x1.6db6db724bda4p-5, 0x1.f1c71a7e51f3cp-6,
                   0x1.6e8be17a5ebbbp-6, 0x1.1c49bfc1baa6p-6, 0x1.ca2444c7f3c74p-7, 0x1.755dae3707a1ap-7,
                   0x1.6222ba8157037p-7, 0x1.d7fd60951e05ep-9, 0x1.67f8f6d644ddbp-6, -0x1.5e5124d4a597bp-6,
                   0x1.0d4d39fd1b874p-5);
  return {outer, s, z * s * p};
}

}  // namespace detail

/// NaN beyond ±1.
template <class V> [[gnu::always_inline]] inline V asin(V x) {
  using namespace detail;
  const auto [outer, s, rest] = arc_of(x);
  const V top = V(half_pi_high<V>) - (s + s), lost = (V(half_pi_high<V>) - top) - (s + s);
  const V far = top - (rest + rest - (V(half_pi_low<V>) + lost));
  return with_sign(where(outer, far, s + rest), x);
}

/// NaN beyond ±1.
template <class V> [[gnu::always_inline]] inline V acos(V x) {
  using namespace detail;
  const auto [outer, s, rest] = arc_of(x);
  const V angle = s + rest;
  const V less = V(half_pi_high<V>) - (s + (rest - V(half_pi_low<V>)));
  const V more = V(half_pi_high<V>) + (s + (rest + V(half_pi_low<V>)));
  const auto negative = x < V(0);
  const V inner = where(negative, more, less), far = where(negative, less, angle);
  return where(outer, far + far, inner);
}

}  // namespace weft::math
