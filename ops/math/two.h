// Numbers as sums of two, the second some units of the first's last place at most, or what is left over of them: for
// functions whose last steps one rounding each would cost too much.
#pragma once

#include "core.h"

namespace weft::math::detail {

template <class V> struct Two {
  V high, low;
  [[gnu::always_inline]] V sum() const { return high + low; }
};

/// a + b, exactly, if |a| >= |b|.
template <class V> [[gnu::always_inline]] inline Two<V> ordered_sum(V a, V b) {
  const V s = a + b;
  return {s, b - (s - a)};
}
/// a + b, exactly.
template <class V> [[gnu::always_inline]] inline Two<V> two_sum(V a, V b) {
  const V s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
/// a b, exactly.
template <class V> [[gnu::always_inline]] inline Two<V> two_product(V a, V b) {
  const V p = a * b;
  return {p, fma(a, b, -p)};
}
/// c + x p, c a sum of two: the last step of Horner's rule, |c| >= |x p|.
template <class V> [[gnu::always_inline]] inline Two<V> last_step(V x, V p, double c, double c_low = 0) {
  const V s = fma(x, p, V(c)), low = fma(x, p, V(c) - s);
  return {s, c_low == 0 ? low : low + V(c_low)};
}
/// c0 + z (c1 + ... z p), z a sum of two: the last steps, as many as there are coefficients.
template <class V> [[gnu::always_inline]] inline Two<V> last_steps(Two<V>, V p) { return {p, V(0)}; }
template <class V, class... C> [[gnu::always_inline]] inline Two<V> last_steps(Two<V> z, V p, double c, C... rest) {
  const Two<V> inner = last_steps(z, p, rest...);
  const V s = fma(z.high, inner.high, V(c)), lost = fma(z.high, inner.high, V(c) - s);
  return {s, fma(z.high, inner.low, fma(z.low, inner.high, lost))};
}

}  // namespace weft::math::detail
