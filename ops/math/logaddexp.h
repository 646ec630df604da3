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
    const V larger = where((x >= y) | (x != x), x, y);
    const V distance = where(x == y, V(0), abs(x - y));  // also between infinities
    return larger + log1p(exp(-distance));
  }
}

}  // namespace weft::math
