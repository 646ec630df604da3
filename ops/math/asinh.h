// asinh, acosh and atanh: logarithms of 1 + u, u as a sum of two.
#pragma once

#include "log.h"

namespace weft::math {

namespace detail {
/// From here on sqrt(x^2 ± 1) is x.
template <class V> inline constexpr double large = is_f32<V> ? 0x1p30 : 0x1p60;
}  // namespace detail

template <class V> [[gnu::always_inline]] inline V asinh(V x) {
  using namespace detail;
  // u = b + (sqrt(b^2 + 1) - 1), or for a large one log(2a).
  const V a = abs(x);
  const auto big = a > V(large<V>);
  const V b = where(big, V(1), a), w = b * b / (sqrt(fma(b, b, V(1))) + V(1)), u = b + w, u_low = (b - u) + w;
  const V result = log1p_sum(where(big, a, u), where(big, V(0), u_low), where(big, V(1), V(0)));
  return with_sign(where(a < V(infinity<V>), result, a), x);
}

/// NaN below 1.
template <class V> [[gnu::always_inline]] inline V acosh(V x) {
  using namespace detail;
  // u = b + sqrt(b^2 + 2b), b = x - 1, or for a large one log(2x).
  const auto big = x > V(large<V>);
  const V b = where(big, V(1), x - V(1)), v = fma(b, b, b + b), v_low = fma(b, b, (b + b) - v), root = sqrt(v);
  const V root_low = where(b == V(0), V(0), (fma(-root, root, v) + v_low) * (V(0.5) / root));
  const V u = root + b, u_low = ((root - u) + b) + root_low;
  const V result = log1p_sum(where(big, x, u), where(big, V(0), u_low), where(big, V(1), V(0)));
  return where(x >= V(1), where(x < V(infinity<V>), result, x), V(not_a_number<V>));
}

/// ±inf at ±1, NaN beyond.
template <class V> [[gnu::always_inline]] inline V atanh(V x) {
  using namespace detail;
  // u = 2a / (1 - a).
  const V a = abs(x), d = V(1) - a, d_low = (V(1) - d) - a, inverse = V(1) / d;
  const V u = (a + a) * inverse, u_low = (fma(-u, d, a + a) - u * d_low) * inverse;
  const V result = V(0.5) * log1p_sum(u, u_low, V(0));
  return with_sign(where(a < V(1), result, where(a == V(1), V(infinity<V>), V(not_a_number<V>))), x);
}

}  // namespace weft::math
