// logaddexp.
#pragma once

#include "exp.h"
#include "log.h"

namespace weft::math {

/// log(e^x + e^y) without overflow. Its zeros lie on a curve, where the two parts of the sum cancel: there an f64 is as
/// good as the larger part; an f32 is computed in f64.
template <class V> [[gnu::always_inline]] inline V logaddexp(V x, V y) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    using D = Rebind<V, double>;
    return convert<V>(logaddexp(convert<D>(x), convert<D>(y)));
  } else {
    const auto first = (x >= y) | (x != x);
    const V larger = where(first, x, y), smaller = where(first, y, x);
    // The distance as a sum of two; none between equal infinities.
    const V d = larger - smaller, back = d - larger, rest = (larger - (d - back)) - (smaller + back);
    const V d_low = where(abs(rest) < V(infinity<V>), rest, V(0));
    const V power = exp(where(x == y, V(0), -d));
    return larger + log1p(fma(-power, d_low, power));
  }
}

}  // namespace weft::math
