// sin, cos and tan, right for arguments of any size.
#pragma once

#include "quadrant.h"
#include "turns.h"

namespace weft::math {

namespace detail {

template <class D> [[gnu::always_inline]] inline Mask<Int<D>> is_even(Int<D> q) { return (q & Int<D>(1)) == Int<D>(0); }
/// a where the quadrant is even, else b.
template <class D> [[gnu::always_inline]] inline D by_quadrant(Mask<Int<D>> even, D a, D b) {
  return from_bits<D>(where(even, bits(a), bits(b)));
}

// f32. |x| is reduced, so that a zero keeps its sign.

/// sin of r + q pi/2, changed in sign by `by`: b + b z p(z), where b is r or, for cos(r), 1.
template <class V> [[gnu::always_inline]] inline V sin_of_quadrant(V r, Int<V> q, Int<V> by) {
  const auto even = is_even<V>(q);
  const auto either = [&](double sine, double cosine) __attribute__((always_inline)) {
    return by_quadrant(even, V(sine), V(cosine));
  };
  const V z = r * r, b = by_quadrant(even, r, V(1));
  // fpminimax(sin(x), [|3,5,7,9|], [|SG...|], [1b-20;pi/4+0.17], relative, x); error 2^-31.4
  // fpminimax(cos(x), [|4,6,8|], [|SG...|], [1b-20;pi/4+0.17], relative, 1-x^2/2); error 2^-30
  V p = either(0x1.6e662p-19, 0x1.96eb7cp-16);
  p = fma(p, z, either(-0x1.a0217ep-13, -0x1.6bff6p-10));
  p = fma(p, z, either(0x1.11113ep-7, 0x1.55553p-5));
  p = fma(p, z, either(-0x1.555556p-3, -0.5));
  return from_bits<V>(bits(fma(b * z, p, b)) ^ ((shl<30>(q) ^ by) & Int<V>(sign_bit<V>)));
}

/// An x as q pi/2 + r.
template <class V> struct QuadrantOfF32 {
  V r;
  Int<V> q;
};
template <class V> [[gnu::always_inline]] inline QuadrantOfF32<V> quadrant_of_f32(V x) {
  using D = Rebind<V, double>;
  const auto [f, shifted] = turns_of_f32(convert<D>(abs(x)), 4);
  return {convert<V>(f * D(0x1.921fb54442d18p0)), convert<Int<V>>(bits(shifted))};
}

template <class V> [[gnu::always_inline]] inline V tan_of_f32(V x) {
  using D = Rebind<V, double>;
  const D f = turns_of_f32(convert<D>(abs(x)), 2).f, z = f * f;
  // Without the poles at ±1/2: fpminimax(tan(pi*sqrt(x))*(1/4-x)/sqrt(x), 5, [|D...|], [1b-20;0.307], relative);
  // error 2^-27.8
  const D q = polynomial(z, 0x1.921fb56156626p-1, -0x1.1d8fb491bbca8p-1, -0x1.13f3e2b5392d6p-3, -0x1.b219947732dd5p-5,
                         -0x1.4eb7244ebab2cp-6, -0x1.f5a63fb6afb76p-7);
  const V y = convert<V>(f * q / fma(-f, f, D(0.25)));
  return from_bits<V>(bits(y) ^ sign_of(x));
}

// f64: quadrants. For |r| <= pi/4, z = r^2.

/// (sin(r) / r - 1) / z
template <class D> [[gnu::always_inline]] inline D sin_polynomial(D z) {
  // fpminimax(sin(x), [|3,5,...,15|], [|D...|], [1b-20;pi/4+1b-10], relative, x); error 2^-62.9
  return polynomial(z, -0x1.5555555555555p-3, 0x1.111111111108bp-7, -0x1.a01a01a006dc7p-13, 0x1.71de3a4023cdfp-19,
                    -0x1.ae643d57d5328p-26, 0x1.6114b651280ddp-33, -0x1.a5666949e877p-41);
}

/// cos(r + r_low) as a sum of two.
template <class D> struct CosParts { D top, tail; };
template <class D> [[gnu::always_inline]] inline CosParts<D> cos_parts(D r, D r_low, D z) {
  // 1 - z/2, and what its rounding lost.
  const D half = D(0.5) * z, top = D(1) - half, lost = (D(1) - top) - half;
  // fpminimax(cos(x), [|4,6,...,14|], [|D...|], [1b-20;pi/4+1b-10], relative, 1-x^2/2); error 2^-63.9
  const D p = polynomial(z, 0x1.555555555554bp-5, -0x1.6c16c16c15005p-10, 0x1.a01a019c8c678p-16, -0x1.27e4f7eee8b47p-22,
                         0x1.1ee9d99eb730ap-29, -0x1.8fa5375b3d0d9p-37);
  return {top, fma(z * z, p, fma(-r, r_low, lost))};
}

/// sin of r + q pi/2.
template <class D> [[gnu::always_inline]] inline D sin_of_quadrant(const Quadrant<D>& x, Int<D> q) {
  const D z = x.r * x.r;
  const auto [top, tail] = cos_parts(x.r, x.r_low, z);
  const D sine = x.r + fma(z * x.r, sin_polynomial(z), x.r_low);
  return from_bits<D>(where(is_even<D>(q), bits(sine), bits(top + tail)) ^ (shl<62>(q) & Int<D>(sign_bit<D>)));
}

/// s / c in even quadrants, -c / s in odd ones.
template <class D> [[gnu::always_inline]] inline D tan_of_f64(D x) {
  const auto [r, r_low, q] = reduce_quadrant(x);
  const D z = r * r;
  const D sin_rest = fma(z * r, sin_polynomial(z), r_low), s = r + sin_rest, s_low = sin_rest - (s - r);
  const auto [top, cos_rest] = cos_parts(r, r_low, z);
  const D c = top + cos_rest, c_low = cos_rest - (c - top);
  const auto even = is_even<D>(q);
  const D a = by_quadrant(even, s, c), a_low = by_quadrant(even, s_low, c_low);
  const D b = by_quadrant(even, c, -s), b_low = by_quadrant(even, c_low, -s_low);
  // a / b, corrected by what its rounding and the low parts make.
  const D inverse = D(1) / b, y = a * inverse, rest = fma(-y, b_low, fma(-y, b, a) + a_low);
  return where(x == D(0), x, fma(rest, inverse, y));
}

}  // namespace detail

template <class V> [[gnu::always_inline]] inline V sin(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    const auto [r, q] = quadrant_of_f32(x);
    return sin_of_quadrant(r, q, bits(x));
  } else {
    const auto reduced = reduce_quadrant(x);
    return where(x == V(0), x, sin_of_quadrant(reduced, reduced.q));  // keeps -0
  }
}

template <class V> [[gnu::always_inline]] inline V cos(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    const auto [r, q] = quadrant_of_f32(x);
    return sin_of_quadrant(r, q + Int<V>(1), Int<V>(0));
  } else {
    const auto reduced = reduce_quadrant(x);
    return sin_of_quadrant(reduced, reduced.q + Int<V>(1));
  }
}

template <class V> [[gnu::always_inline]] inline V tan(V x) {
  if constexpr (detail::is_f32<V>)
    return detail::tan_of_f32(x);
  else
    return detail::tan_of_f64(x);
}

}  // namespace weft::math
