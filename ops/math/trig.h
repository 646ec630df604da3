// sin, cos and tan, right for arguments of any size.
#pragma once

#include "quadrant.h"

namespace weft::math {

namespace detail {

template <class V> [[gnu::always_inline]] inline Quadrant<V> reduce_quadrant(V x) {
  if constexpr (is_f32<V>) {
    const auto [r, r_low, q] = quadrant_of_f32(convert<Rebind<V, double>>(x));
    return {convert<V>(r), V(0), convert<Int<V>>(q)};
  } else {
    return quadrant_of_f64(x);
  }
}

// For |r| <= pi/4, z = r^2.

/// (sin(r) / r - 1) / z
template <class V> [[gnu::always_inline]] inline V sin_polynomial(V z) {
  if constexpr (is_f32<V>)
    // fpminimax(sin(x), [|3,5,7,9|], [|SG...|], [1b-20;pi/4+1b-10], relative, x); error 2^-32.2
    return polynomial(z, -0x1.555556p-3, 0x1.111164p-7, -0x1.a0485ap-13, 0x1.77dbfep-19);
  else
    // fpminimax(sin(x), [|3,5,...,15|], [|D...|], [1b-20;pi/4+1b-10], relative, x); error 2^-62.9
    return polynomial(z, -0x1.5555555555555p-3, 0x1.111111111108bp-7, -0x1.a01a01a006dc7p-13, 0x1.71de3a4023cdfp-19,
                      -0x1.ae643d57d5328p-26, 0x1.6114b651280ddp-33, -0x1.a5666949e877p-41);
}

/// cos(r + r_low) as a sum of two.
template <class V> struct CosParts { V top, tail; };
template <class V> [[gnu::always_inline]] inline CosParts<V> cos_parts(V r, V r_low, V z) {
  // 1 - z/2, and what its rounding lost.
  const V half = V(0.5) * z, top = V(1) - half, lost = (V(1) - top) - half;
  if constexpr (is_f32<V>) {
    // fpminimax(cos(x), [|4,6,8|], [|SG...|], [1b-20;pi/4+1b-10], relative, 1-x^2/2); error 2^-33
    return {top, fma(z * z, polynomial(z, 0x1.55554ap-5, -0x1.6c0c28p-10, 0x1.99e81p-16), lost)};
  } else {
    // fpminimax(cos(x), [|4,6,...,14|], [|D...|], [1b-20;pi/4+1b-10], relative, 1-x^2/2); error 2^-63.9
    const V p = polynomial(z, 0x1.555555555554bp-5, -0x1.6c16c16c15005p-10, 0x1.a01a019c8c678p-16,
                           -0x1.27e4f7eee8b47p-22, 0x1.1ee9d99eb730ap-29, -0x1.8fa5375b3d0d9p-37);
    return {top, fma(z * z, p, fma(-r, r_low, lost))};
  }
}

template <class V> [[gnu::always_inline]] inline Mask<Int<V>> is_even(Int<V> q) { return (q & Int<V>(1)) == Int<V>(0); }
/// a where the quadrant is even, else b.
template <class V> [[gnu::always_inline]] inline V by_quadrant(Mask<Int<V>> even, V a, V b) {
  return from_bits<V>(where(even, bits(a), bits(b)));
}

/// sin of r + q pi/2.
template <class V> [[gnu::always_inline]] inline V sin_of(V r, V r_low, Int<V> q) {
  const V z = r * r;
  const auto [top, tail] = cos_parts(r, r_low, z);
  const V p = sin_polynomial(z), sine = is_f32<V> ? fma(z * r, p, r) : r + fma(z * r, p, r_low);
  return from_bits<V>(where(is_even<V>(q), bits(sine), bits(top + tail)) ^
                      (shl < is_f32<V> ? 30 : 62 > (q)&Int<V>(sign_bit<V>)));
}

}  // namespace detail

template <class V> [[gnu::always_inline]] inline V sin(V x) {
  const auto [r, r_low, q] = detail::reduce_quadrant(x);
  return where(x == V(0), x, detail::sin_of(r, r_low, q));  // keeps -0
}

template <class V> [[gnu::always_inline]] inline V cos(V x) {
  const auto [r, r_low, q] = detail::reduce_quadrant(x);
  return detail::sin_of(r, r_low, q + Int<V>(1));
}

/// s / c in even quadrants, -c / s in odd ones.
template <class V> [[gnu::always_inline]] inline V tan(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    using D = Rebind<V, double>;
    const auto [r, r_low, q] = quadrant_of_f32(convert<D>(x));
    const D z = r * r;
    // fpminimax(sin(x), [|3,5,7,9|], [|D...|], [1b-20;pi/4+1b-10], relative, x); error 2^-37.5
    const D p =
        polynomial(z, -0x1.5555554c5af4fp-3, 0x1.11110859bf588p-7, -0x1.a00f71bb8bc2fp-13, 0x1.6ccebc99be30dp-19);
    // fpminimax(cos(x), [|2,4,6,8|], [|D...|], [1b-20;pi/4+1b-10], relative, 1); error 2^-33.9
    const D c =
        polynomial(z, 1, -0x1.ffffffcaf92ap-2, 0x1.55553c47fbf1dp-5, -0x1.6c07de36b3866p-10, 0x1.99121ba838ffdp-16);
    const D s = fma(z * r, p, r);
    const auto even = is_even<D>(q);
    return where(x == V(0), x, convert<V>(by_quadrant(even, s, c) / by_quadrant(even, c, -s)));
  } else {
    const auto [r, r_low, q] = reduce_quadrant(x);
    const V z = r * r;
    const V sin_rest = fma(z * r, sin_polynomial(z), r_low), s = r + sin_rest, s_low = sin_rest - (s - r);
    const auto [top, cos_rest] = cos_parts(r, r_low, z);
    const V c = top + cos_rest, c_low = cos_rest - (c - top);
    const auto even = is_even<V>(q);
    const V a = by_quadrant(even, s, c), a_low = by_quadrant(even, s_low, c_low);
    const V b = by_quadrant(even, c, -s), b_low = by_quadrant(even, c_low, -s_low);
    // a / b, corrected by what its rounding and the low parts make.
    const V inverse = V(1) / b, y = a * inverse, rest = fma(-y, b_low, fma(-y, b, a) + a_low);
    return where(x == V(0), x, fma(rest, inverse, y));
  }
}

}  // namespace weft::math
