// What the elementary functions share: formats, polynomials and signs.
//
// Every function here is branch-free, written only in the operations of a domain (../recorded.h), and says fma where it
// means one: so the native loops of every ISA and the generated code give the same bits. A coefficient's comment keeps
// the Sollya command that found it; I is the interval, SG and D are Sollya's f32 and f64.
#pragma once

#include <cstdint>
#include <type_traits>

#include "../recorded.h"

namespace weft::math {

namespace detail {

template <class V> inline constexpr bool is_f32 = std::is_same_v<Element<V>, float>;
/// Bits of the stored mantissa.
template <class V> inline constexpr int mantissa = is_f32<V> ? 23 : 52;
template <class V> inline constexpr int exponent_bias = is_f32<V> ? 127 : 1023;
/// Adding it rounds a small number to an integer, which then stands in the low bits.
template <class V> inline constexpr double rounder = is_f32<V> ? 0x1.8p23 : 0x1.8p52;
template <class V> inline constexpr double infinity = __builtin_inf();
template <class V> inline constexpr double not_a_number = __builtin_nan("");
template <class V> inline constexpr double smallest_normal = is_f32<V> ? 0x1p-126 : 0x1p-1022;
template <class V> inline constexpr std::int64_t sign_bit = is_f32<V> ? std::int64_t{INT32_MIN} : INT64_MIN;
template <class V> inline constexpr std::int64_t bits_of_one = std::int64_t{exponent_bias<V>} << mantissa<V>;

/// ln 2 as a sum of two: round(log(2),24,RN) or round(log(2),53,RN), and the rest.
template <class V> inline constexpr double ln2_high = is_f32<V> ? 0x1.62e43p-1 : 0x1.62e42fefa39efp-1;
template <class V> inline constexpr double ln2_low = is_f32<V> ? -0x1.05c61p-29 : 0x1.abc9e3b39803fp-56;

/// The domain like V over the element type T.
template <class V, class T> struct Rebound { using type = typename DomainTraits<V>::template Rebind<T>; };
template <class U, class T> struct Rebound<Recorded<U>, T> { using type = Recorded<T>; };
template <class V, class T> using Rebind = typename Rebound<V, T>::type;

/// c0 + c1 x + c2 x^2 + ..., by Horner's rule.
template <class V> [[gnu::always_inline]] inline V polynomial(V, double c0) { return V(c0); }
template <class V, class... C> [[gnu::always_inline]] inline V polynomial(V x, double c0, double c1, C... rest) {
  return fma(polynomial(x, c1, rest...), x, V(c0));
}

/// The same in pairs of terms, which come one after the other in half as many steps; x2 = x x.
template <class V> [[gnu::always_inline]] inline V paired_polynomial(V, V, double c0) { return V(c0); }
template <class V> [[gnu::always_inline]] inline V paired_polynomial(V x, V, double c0, double c1) {
  return fma(V(c1), x, V(c0));
}
template <class V, class... C>
[[gnu::always_inline]] inline V paired_polynomial(V x, V x2, double c0, double c1, C... rest) {
  return fma(paired_polynomial(x, x2, rest...), x2, fma(V(c1), x, V(c0)));
}

// These keep a NaN, and are one min or max instruction.
template <class V> [[gnu::always_inline]] inline V at_most(V x, double limit) {
  if constexpr (requires { smaller(x, x); }) return smaller(V(limit), x);
  return where(V(limit) < x, V(limit), x);
}
template <class V> [[gnu::always_inline]] inline V at_least(V x, double limit) {
  if constexpr (requires { larger(x, x); }) return larger(V(limit), x);
  return where(V(limit) > x, V(limit), x);
}

template <class V> [[gnu::always_inline]] inline Int<V> sign_of(V x) { return bits(x) & Int<V>(sign_bit<V>); }
/// y >= 0 with the sign of x.
template <class V> [[gnu::always_inline]] inline V with_sign(V y, V x) { return from_bits<V>(bits(y) | sign_of(x)); }

/// An integer of V's width as a float; |i| < 2^22.
template <class V> [[gnu::always_inline]] inline V to_float(Int<V> i) {
  if constexpr (is_f32<V>)
    return convert<V>(i);
  else
    return from_bits<V>(i + (std::int64_t{0x433} << 52 | std::int64_t{1} << 51)) - V(rounder<V>);
}

}  // namespace detail

template <class V> [[gnu::always_inline]] inline V reciprocal(V x) { return V(1) / x; }

/// Two roundings: within 1.5 ulp.
template <class V> [[gnu::always_inline]] inline V rsqrt(V x) { return V(1) / sqrt(x); }

}  // namespace weft::math
