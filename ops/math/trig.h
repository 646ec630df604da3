// sin, cos and tan.
#pragma once

#include "core.h"

namespace weft::math {

namespace detail {

/// x = q pi/2 + r, |r| <= pi/4; only q's two low bits count.
template <class V> struct Quadrant {
  V r;
  Int<V> q;
};

/// In f64, for x an f32, whatever its size. The quadrants are x' T, T = 2/pi or, for large x, T = 2^(24 k) 2/pi mod 4
/// and x' = x 2^(-24 k), an integer: what the modulus drops is a multiple of 4.
template <class D> struct ExactQuadrant {
  D fraction, q;  // in [-1/2, 1/2], and the integer
};
template <class D> [[gnu::always_inline]] inline ExactQuadrant<D> reduce_f32(D x) {
  const D a = abs(x);
  // t = 2^(24*k)*2/pi; t - 4*nearestint(t/4) as a sum of two
  D scale = D(1), high = D(0x1.45f306dc9c883p-1), low = D(-0x1.6b01ec5417056p-55);
  const auto step = [&](double from, double factor, double h, double l) __attribute__((always_inline)) {
    const auto beyond = a >= D(from);
    scale = where(beyond, D(factor), scale);
    high = where(beyond, D(h), high);
    low = where(beyond, D(l), low);
  };
  step(0x1p47, 0x1p-24, -0x1.236377d5ac07bp-1, -0x1.505c1596447e5p-57);
  step(0x1p71, 0x1p-48, 0x1.529fc2757d1f5p-4, 0x1.a6ee06db14acdp-59);
  step(0x1p95, 0x1p-72, 0x1.3abe8fa9a6eep-3, 0x1.b6c52b3278872p-57);
  step(0x1p119, 0x1p-96, 0x1.f534ddc0db629p0, 0x1.664f10e4107f9p-54);
  const D y = x * scale, p = y * high, q = nearest(p);
  return {(p - q) + fma(y, low, fma(y, high, -p)), q};
}

template <class V> [[gnu::always_inline]] inline Quadrant<V> reduce_quadrant(V x) {
  if constexpr (is_f32<V>) {
    using D = Rebind<V, double>;
    const auto [fraction, q] = reduce_f32(convert<D>(x));
    return {convert<V>(fraction * D(0x1.921fb54442d18p0)), convert<Int<V>>(bits(q + D(rounder<D>)))};
  } else {
    // pi/2 as a sum of four, the first three of 33 bits, so that n times them is exact up to |x| = 2^20.
    const V shift = V(rounder<V>), t = fma(x, V(0x1.45f306dc9c883p-1), shift), n = t - shift;
    V r = fma(n, V(-0x1.921fb544p0), x);
    r = fma(n, V(-0x1.0b4611a6p-34), r);
    r = fma(n, V(-0x1.3198a2ep-69), r);
    return {fma(n, V(-0x1.b839a252049c1p-104), r), bits(t)};
  }
}

/// sin r and cos r, |r| <= pi/4.
template <class V> [[gnu::always_inline]] inline V sin_reduced(V r, V z) {
  V p = V(0);
  if constexpr (is_f32<V>)
    // fpminimax(sin(x), [|3,5,7,9|], [|SG...|], [1b-20;pi/4+1b-10], relative, x); error 2^-32.2
    p = polynomial(z, -0x1.555556p-3, 0x1.111164p-7, -0x1.a0485ap-13, 0x1.77dbfep-19);
  else
    // fpminimax(sin(x), [|3,5,...,15|], [|D...|], [1b-20;pi/4+1b-10], relative, x); error 2^-62.9
    p = polynomial(z, -0x1.5555555555555p-3, 0x1.111111111108bp-7, -0x1.a01a01a006dc7p-13, 0x1.71de3a4023cdfp-19,
                   -0x1.ae643d57d5328p-26, 0x1.6114b651280ddp-33, -0x1.a5666949e877p-41);
  return fma(z * r, p, r);
}
template <class V> [[gnu::always_inline]] inline V cos_reduced(V z) {
  V p = V(0);
  if constexpr (is_f32<V>)
    // fpminimax(cos(x), [|4,6,8|], [|SG...|], [1b-20;pi/4+1b-10], relative, 1-x^2/2); error 2^-33
    p = polynomial(z, 0x1.55554ap-5, -0x1.6c0c28p-10, 0x1.99e81p-16);
  else
    // fpminimax(cos(x), [|4,6,...,14|], [|D...|], [1b-20;pi/4+1b-10], relative, 1-x^2/2); error 2^-63.9
    p = polynomial(z, 0x1.555555555554bp-5, -0x1.6c16c16c15005p-10, 0x1.a01a019c8c678p-16, -0x1.27e4f7eee8b47p-22,
                   0x1.1ee9d99eb730ap-29, -0x1.8fa5375b3d0d9p-37);
  // 1 - z/2, and what its rounding lost.
  const V half = V(0.5) * z, top = V(1) - half;
  return top + fma(z * z, p, (V(1) - top) - half);
}

/// sin of r + q pi/2.
template <class V> [[gnu::always_inline]] inline V sin_of(V r, Int<V> q) {
  const V z = r * r;
  const auto even = (q & Int<V>(1)) == Int<V>(0);
  const Int<V> i = where(even, bits(sin_reduced(r, z)), bits(cos_reduced(z)));
  return from_bits<V>(i ^ (shl<mantissa<V> + (is_f32<V> ? 7 : 10)>(q) & Int<V>(sign_bit<V>)));
}

/// s / c in even quadrants, -c / s in odd ones.
template <class V> [[gnu::always_inline]] inline V tan_of(V s, V c, Int<V> q) {
  const auto even = (q & Int<V>(1)) == Int<V>(0);
  const Int<V> above = where(even, bits(s), bits(c)), below = where(even, bits(c), bits(s) ^ Int<V>(sign_bit<V>));
  return from_bits<V>(above) / from_bits<V>(below);
}

}  // namespace detail

template <class V> [[gnu::always_inline]] inline V sin(V x) {
  const auto [r, q] = detail::reduce_quadrant(x);
  return where(x == V(0), x, detail::sin_of(r, q));  // keeps -0
}

template <class V> [[gnu::always_inline]] inline V cos(V x) {
  const auto [r, q] = detail::reduce_quadrant(x);
  return detail::sin_of(r, q + Int<V>(1));
}

template <class V> [[gnu::always_inline]] inline V tan(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    using D = Rebind<V, double>;
    const auto [fraction, whole] = reduce_f32(convert<D>(x));
    const D r = fraction * D(0x1.921fb54442d18p0), z = r * r;
    // fpminimax(sin(x), [|3,5,7,9|], [|D...|], [1b-20;pi/4+1b-10], relative, x); error 2^-37.5
    const D s = fma(z * r, polynomial(z, -0x1.5555554c5af4fp-3, 0x1.11110859bf588p-7, -0x1.a00f71bb8bc2fp-13,
                                      0x1.6ccebc99be30dp-19), r);
    // fpminimax(cos(x), [|2,4,6,8|], [|D...|], [1b-20;pi/4+1b-10], relative, 1); error 2^-33.9
    const D c = polynomial(z, 1, -0x1.ffffffcaf92ap-2, 0x1.55553c47fbf1dp-5, -0x1.6c07de36b3866p-10,
                           0x1.99121ba838ffdp-16);
    return where(x == V(0), x, convert<V>(tan_of(s, c, bits(whole + D(rounder<D>)))));
  } else {
    const auto [r, q] = reduce_quadrant(x);
    const V z = r * r;
    return where(x == V(0), x, tan_of(sin_reduced(r, z), cos_reduced(z), q));
  }
}

}  // namespace weft::math
