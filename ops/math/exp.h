// exp, exp2 and expm1.
#pragma once

#include "core.h"

namespace weft::math {

namespace detail {

/// x = n ln 2 + r, |r| <= ln 2 / 2; the low bits of t hold n + offset; head = x - n ln2_high, exactly.
template <class V> struct ExpReduction {
  V head, n, t;
  [[gnu::always_inline]] V r() const { return fma(n, V(-ln2_low<V>), head); }
  /// 2^n, for an offset of exponent_bias; less it, that much smaller.
  [[gnu::always_inline]] V power() const { return from_bits<V>(shl<mantissa<V>>(bits(t))); }
};
template <class V> [[gnu::always_inline]] inline ExpReduction<V> reduce_exp(V x, int offset = 0) {
  const V shift = V(rounder<V> + offset), t = fma(x, V(0x1.71547652b82fep0), shift), n = t - shift;
  return {fma(n, V(-ln2_high<V>), x), n, t};
}

// e^r = 1 + r + r^2 q(r) for |r| <= ln 2 / 2. This is q, or with its first terms given (1, 1) all of e^r.
template <class V, class... C> [[gnu::always_inline]] inline V exp_polynomial(V r, C... first) {
  const auto evaluate = [=](auto... q) __attribute__((always_inline)) {
    if constexpr (sizeof...(first) == 0)
      return paired_polynomial(r, r * r, q...);
    else
      return polynomial(r, first..., q...);
  };
  if constexpr (is_f32<V>)
    // fpminimax(exp(x), [|2,...,6|], [|SG...|], [-0.34675;0.34675], absolute, 1+x); relative error 2^-27.9
    return evaluate(0x1.fffff8p-2, 0x1.55548ep-3, 0x1.555adcp-5, 0x1.123becp-7, 0x1.692b7p-10);
  else
    // fpminimax(exp(x), [|2,...,11|], [|D...|], [-0.34675;0.34675], absolute, 1+x); relative error 2^-57.5
    return evaluate(0x1.000000000000cp-1, 0x1.5555555555561p-3, 0x1.555555554fdf1p-5, 0x1.111111110d63ap-7,
                    0x1.6c16c1860e3dfp-10, 0x1.a01a01bae3c81p-13, 0x1.a01995a28bc13p-16, 0x1.71dddfc5df7e9p-19,
                    0x1.28b11052ebac4p-22, 0x1.af85944f3a04dp-26);
}
template <class V> [[gnu::always_inline]] inline V exp_reduced(V r) { return exp_polynomial(r, 1.0, 1.0); }
template <class V> [[gnu::always_inline]] inline V expm1_reduced(V r) { return fma(r * r, exp_polynomial(r), r); }

/// significand 2^n, of an n so small that it is 0 for sure: 0 times a power of two. The product itself would be right,
/// too, but a result below the normal numbers costs the processor a hundred cycles.
template <class V> [[gnu::always_inline]] inline V scaled_or_zero(V significand, V n) {
  return scalb(where(n < V(-(exponent_bias<V> + mantissa<V>)), V(0), significand), n);
}

/// 2^f for |f| <= 1/2.
template <class V> [[gnu::always_inline]] inline V exp2_reduced(V f) {
  if constexpr (is_f32<V>)
    // fpminimax(2^x, [|1,...,6|], [|SG...|], [-0.501;0.501], absolute, 1); relative error 2^-27.9
    return polynomial(f, 1, 0x1.62e43p-1, 0x1.ebfbep-3, 0x1.c6af7p-5, 0x1.3b2a44p-7, 0x1.5f0f3ep-10, 0x1.44295ap-13);
  else
    // fpminimax(2^x, [|1,...,11|], [|D...|], [-0.501;0.501], absolute, 1); relative error 2^-57.4
    return polynomial(f, 1, 0x1.62e42fefa39efp-1, 0x1.ebfbdff82c5a5p-3, 0x1.c6b08d704a189p-5, 0x1.3b2ab6fb9feefp-7,
                      0x1.5d87fe78874f7p-10, 0x1.4309130f50cf8p-13, 0x1.ffcbfce2c713fp-17, 0x1.62bfc660fe647p-20,
                      0x1.b52413843a4b4p-24, 0x1.e61d83ceba069p-28, 0x1.eb146b8d2e796p-32);
}

/// e^(r - less) - 1, with what the rounding of r lost; less is some units of r's last place.
template <class V> [[gnu::always_inline]] inline V power_less_one(const ExpReduction<V>& reduced, V less) {
  const V rest = reduced.r(), r = rest - less;
  const V r_low = ((rest - r) - less) + fma(reduced.n, V(-ln2_low<V>), reduced.head - rest);
  return r + fma(r * r, exp_polynomial(r), r_low);
}

}  // namespace detail

/// Within 1 ulp.
template <class V> [[gnu::always_inline]] inline V exp(V x) {
  using namespace detail;
  // Beyond these bounds the result is inf or 0.
  x = at_least(at_most(x, is_f32<V> ? 89 : 710), is_f32<V> ? -105 : -746);
  const auto reduced = reduce_exp(x);
  return scaled_or_zero(exp_reduced(reduced.r()), reduced.n);
}

/// Within 1 ulp.
template <class V> [[gnu::always_inline]] inline V exp2(V x) {
  using namespace detail;
  x = at_least(at_most(x, is_f32<V> ? 129 : 1025), is_f32<V> ? -151 : -1076);
  const V shift = V(rounder<V>), n = (x + shift) - shift;
  return scaled_or_zero(exp2_reduced(x - n), n);
}

/// Within 2 ulp.
template <class V> [[gnu::always_inline]] inline V expm1(V x) {
  using namespace detail;
  const V limited = at_least(at_most(x, is_f32<V> ? 89 : 710), is_f32<V> ? -18 : -40);
  // Half of the result, because 2^n itself may overflow: s (r + r_low + r^2 q) + (s - 1/2), s = 2^(n-1).
  const auto reduced = reduce_exp(limited, exponent_bias<V> - 1);
  const V s = reduced.power(), r = reduced.r();
  const V r_low = fma(reduced.n, V(-ln2_low<V>), reduced.head - r);
  const V half = fma(s, fma(r * r, exp_polynomial(r), r_low), fma(s, r, s - V(0.5)));
  return where(abs(x) < V(is_f32<V> ? 0x1p-25 : 0x1p-54), x, half + half);  // keeps -0 and subnormals
}

}  // namespace weft::math
