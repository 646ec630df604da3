// logaddexp.
#pragma once

#include "exp.h"
#include "log.h"
#include "two.h"

namespace weft::math {

/// log(e^x + e^y) without overflow. Its zeros lie on a curve, where the two parts of the sum cancel: near it an f64
/// is as good as the larger part, some bits more; an f32 is computed in f64.
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
    // power = e^-d and log = log(1 + power), sums of two.
    const auto reduced = reduce_exp(at_least(where(x == y, V(0), -d), -747));
    const V r = reduced.r(), r_low = fma(reduced.n, V(-ln2_low<V>), reduced.head - r);
    const auto one = ordered_sum(V(1), r), scaled = ordered_sum(one.high, fma(r * r, exp_polynomial(r), r_low));
    const V power = scaled_or_zero(scaled.high, reduced.n);
    const V power_low = fma(-power, d_low, scaled_or_zero(one.low + scaled.low, reduced.n));
    const auto [log, e, f, scale] = log1p_parts(power, V(0));
    const V f_low = fma(power, scale, (scale - V(1)) - f) + power_low * scale;
    const auto sum = two_sum(larger, log.high);
    const V result = sum.high + (sum.low + (log.low + fma(-f, f_low, f_low)));
    return where(abs(larger) < V(infinity<V>), result, larger);
  }
}

}  // namespace weft::math
