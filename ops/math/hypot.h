// hypot.
#pragma once

#include "core.h"

namespace weft::math {

/// sqrt(x^2 + y^2) without overflow; inf where either is, also beside a NaN.
template <class V> [[gnu::always_inline]] inline V hypot(V x, V y) {
  using namespace detail;
  const V a = abs(x), b = abs(y), large = where(a > b, a, b), small = where(a > b, b, a);
  // Scaled so that no square overflows, or underflows where it counts.
  constexpr double top = is_f32<V> ? 0x1p62 : 0x1p510, bottom = is_f32<V> ? 0x1p-50 : 0x1p-450;
  constexpr double scale = is_f32<V> ? 0x1p90 : 0x1p600;
  const auto high = large > V(top), low = large < V(bottom);
  const V factor = where(high, V(1 / scale), where(low, V(scale), V(1)));
  const V back = where(high, V(scale), where(low, V(1 / scale), V(1)));
  const V p = large * factor, q = small * factor, r = sqrt(fma(p, p, q * q)) * back;
  return where((a == V(infinity<V>)) | (b == V(infinity<V>)), V(infinity<V>), r);
}

}  // namespace weft::math
