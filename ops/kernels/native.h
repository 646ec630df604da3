// The native domain: vectors over which the eager loops evaluate formulas, one full register of the ISA that the
// including file is compiled for. Everything is in an anonymous namespace and calls no inline std function: a weak
// symbol compiled with AVX-512 could end up in the baseline path.
//
// Native<T, L> has L lanes of T; a formula keeps one L. Whoever writes the loop picks it: native_lanes<T> fills one
// register with T; a wider type of as many lanes spans several registers, a narrower one a part of one.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "../recorded.h"

#define WEFT_INLINE [[gnu::always_inline]] inline
#define WEFT_LAMBDA __attribute__((always_inline))

namespace weft {
namespace {

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX2__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif

/// Lanes of T in one register.
template <class T> constexpr int native_lanes = register_bytes / sizeof(T);

// A SIMD vector of the compiler's, and what holds L lanes of T: one of them, or two halves.

template <class T, int L> struct RawVector { typedef T type __attribute__((vector_size(sizeof(T) * L))); };
template <class T, int L> using Raw = typename RawVector<T, L>::type;

template <class T, int L, bool whole = (sizeof(T) * L <= register_bytes)> struct Lanes {
  static constexpr bool is_whole = true;
  using Half = Lanes<T, L / 2>;
  Raw<T, L> v;
};
template <class T, int L> struct Lanes<T, L, false> {
  static constexpr bool is_whole = false;
  using Half = Lanes<T, L / 2>;
  Half low, high;
};

// By shuffles, which stay in registers.
template <int offset, class T, int L, int... i>
WEFT_INLINE Lanes<T, L / 2> half(Lanes<T, L, true> a, std::integer_sequence<int, i...>) {
  return {__builtin_shufflevector(a.v, a.v, offset + i...)};
}
template <class T, int L, int... i>
WEFT_INLINE Lanes<T, 2 * L> whole(Lanes<T, L, true> a, Lanes<T, L, true> b, std::integer_sequence<int, i...>) {
  return {__builtin_shufflevector(a.v, b.v, i...)};
}
template <class T, int L> WEFT_INLINE Lanes<T, L / 2> low_half(Lanes<T, L> a) {
  if constexpr (Lanes<T, L>::is_whole)
    return half<0>(a, std::make_integer_sequence<int, L / 2>{});
  else
    return a.low;
}
template <class T, int L> WEFT_INLINE Lanes<T, L / 2> high_half(Lanes<T, L> a) {
  if constexpr (Lanes<T, L>::is_whole)
    return half<L / 2>(a, std::make_integer_sequence<int, L / 2>{});
  else
    return a.high;
}
template <class T, int L> WEFT_INLINE Lanes<T, 2 * L> join(Lanes<T, L> a, Lanes<T, L> b) {
  if constexpr (!Lanes<T, 2 * L>::is_whole)
    return {a, b};
  else
    return whole(a, b, std::make_integer_sequence<int, 2 * L>{});
}

/// f on each register of the operands; its result is taken as R's bits.
template <class R, class F, class... S> WEFT_INLINE R map(F f, S... s) {
  if constexpr (R::is_whole && (S::is_whole && ...))
    return {(decltype(R::v))f(s.v...)};
  else {
    const typename R::Half a = map<typename R::Half>(f, low_half(s)...), b = map<typename R::Half>(f, high_half(s)...);
    return join(a, b);
  }
}

/// The signed integer as wide as T: a lane of a mask (0 or -1).
template <class T> using Signed =
    std::conditional_t<sizeof(T) == 8, std::int64_t, std::conditional_t<sizeof(T) == 4, std::int32_t, std::int8_t>>;
/// The type that T's integer arithmetic is done in, so that it wraps; T itself for floats.
template <class T> using Wrapping =
    std::conditional_t<std::is_same_v<T, std::int32_t>, std::uint32_t,
                       std::conditional_t<std::is_same_v<T, std::int64_t>, std::uint64_t, T>>;

/// The vector's bits as lanes of U.
template <class U, class R> WEFT_INLINE auto as(R v) { return (Raw<U, sizeof(R) / sizeof(U)>)v; }

template <class T, class R> WEFT_INLINE R raw_fma(R a, R b, R c) {
  constexpr bool single = std::is_same_v<T, float>;
#if defined(__AVX512F__)
  if constexpr (sizeof(R) == 64 && single)
    return (R)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
  else if constexpr (sizeof(R) == 64)
    return (R)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
  else
#endif
#if defined(__FMA__)
      if constexpr (sizeof(R) == 32 && single)
    return (R)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
  else if constexpr (sizeof(R) == 32)
    return (R)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
  else if constexpr (sizeof(R) == 16 && single)
    return (R)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c);
  else if constexpr (sizeof(R) == 16)
    return (R)_mm_fmadd_pd((__m128d)a, (__m128d)b, (__m128d)c);
  else
#endif
  {
    R r;
    for (unsigned i = 0; i < sizeof(R) / sizeof(T); ++i)
      if constexpr (single)
        r[i] = __builtin_fmaf(a[i], b[i], c[i]);
      else
        r[i] = __builtin_fma(a[i], b[i], c[i]);
    return r;
  }
}

/// a 2^n as ScalarOp::scalb: n in two halves, of which each is a power of two that is a normal number. The first
/// product is exact, or so small that the second is 0.
template <class T, class R> WEFT_INLINE R raw_scalb(R a, R n) {
  constexpr bool single = std::is_same_v<T, float>;
#if defined(__AVX512F__)
  if constexpr (sizeof(R) == 64 && single)
    return (R)_mm512_maskz_scalef_ps(-1, (__m512)a, (__m512)n);
  else if constexpr (sizeof(R) == 64)
    return (R)_mm512_maskz_scalef_pd(-1, (__m512d)a, (__m512d)n);
  else
#endif
  {
    constexpr int mantissa = single ? 23 : 52, twice_bias = single ? 254 : 2046;
    constexpr T rounder = single ? (T)0x1.8p23 : (T)0x1.8p52;  // an integer added to it stands in the low bits
    const auto exponents = as<Wrapping<Signed<T>>>(n + (rounder + (T)twice_bias));
    const auto first = exponents >> 1 << mantissa, second = (exponents << mantissa) - first;
    return a * as<T>(first) * as<T>(second);
  }
}

/// ScalarOp::significand and exponent. The bits of 3/4 are taken away and what is above the stored mantissa then is the
/// exponent; a subnormal number is scaled up before.
template <class T> constexpr int stored_mantissa = std::is_same_v<T, float> ? 23 : 52;
template <class T> constexpr auto bits_of_three_quarters = std::is_same_v<T, float>
                                                               ? (Wrapping<Signed<T>>)0x3f400000
                                                               : (Wrapping<Signed<T>>)(0x3feull << 52 | 1ull << 51);
template <class T> constexpr T least_normal = std::is_same_v<T, float> ? (T)0x1p-126 : (T)0x1p-1022;
template <class T, class R> WEFT_INLINE auto above_three_quarters(R a) {
  constexpr T up = (T)((Wrapping<Signed<T>>)1 << stored_mantissa<T>);
  return as<Wrapping<Signed<T>>>(a < least_normal<T> ? a * up : a) - bits_of_three_quarters<T>;
}
template <class T, class R> WEFT_INLINE R raw_significand(R a) {
#if defined(__AVX512F__)
  // 3/4 to 3/2; a negative number gives NaN, -0 what 0 gives
  constexpr auto from_three_quarters = _MM_MANT_NORM_p75_1p5;
  constexpr auto positive = (_MM_MANTISSA_SIGN_ENUM)(_MM_MANT_SIGN_nan | _MM_MANT_SIGN_zero);
  if constexpr (sizeof(R) == 64 && std::is_same_v<T, float>)
    return (R)_mm512_maskz_getmant_ps(-1, (__m512)a, from_three_quarters, positive);
  else if constexpr (sizeof(R) == 64)
    return (R)_mm512_maskz_getmant_pd(-1, (__m512d)a, from_three_quarters, positive);
  else
#endif
  {
    constexpr auto below = ((Wrapping<Signed<T>>)1 << stored_mantissa<T>)-1;
    const R m = as<T>((above_three_quarters<T>(a) & below) + bits_of_three_quarters<T>);
    const R ends = a >= (T)0 ? (T)1 - R{} : (T)__builtin_nan("") - R{};
    return a > (T)0 ? (a < (T)__builtin_inf() ? m : ends) : ends;
  }
}
template <class T, class R> WEFT_INLINE R raw_exponent(R a) {
  constexpr bool single = std::is_same_v<T, float>;
#if defined(__AVX512F__)
  // By the instruction that of m 2^e with 1 <= m < 2: less that of the significand, 0 or -1.
  if constexpr (sizeof(R) == 64 && single)
    return (R)_mm512_maskz_getexp_ps(-1, (__m512)a) - (R)_mm512_maskz_getexp_ps(-1, (__m512)raw_significand<T>(a));
  else if constexpr (sizeof(R) == 64)
    return (R)_mm512_maskz_getexp_pd(-1, (__m512d)a) - (R)_mm512_maskz_getexp_pd(-1, (__m512d)raw_significand<T>(a));
  else
#endif
  {
    const auto i = as<Signed<T>>(above_three_quarters<T>(a)) >> stored_mantissa<T>;
    R e;
    if constexpr (single)
      e = __builtin_convertvector(i, R);
    else  // an integer beside 2^52's half stands in the low bits
      e = as<T>(i + (Signed<T>)(0x433ull << 52 | 1ull << 51)) - (T)0x1.8p52;
    e = a < least_normal<T> ? e - (T)stored_mantissa<T> : e;
    const R ends = a == (T)0 ? (T)-__builtin_inf() - R{} : (T)__builtin_nan("") - R{};
    return a > (T)0 ? (a < (T)__builtin_inf() ? e : a) : ends;
  }
}

template <class T, class R> WEFT_INLINE R raw_sqrt(R a) {
  constexpr bool single = std::is_same_v<T, float>;
#if defined(__AVX512F__)
  if constexpr (sizeof(R) == 64 && single)
    return (R)_mm512_maskz_sqrt_ps(-1, (__m512)a);
  else if constexpr (sizeof(R) == 64)
    return (R)_mm512_maskz_sqrt_pd(-1, (__m512d)a);
  else
#endif
#if defined(__AVX__)
      if constexpr (sizeof(R) == 32 && single)
    return (R)_mm256_sqrt_ps((__m256)a);
  else if constexpr (sizeof(R) == 32)
    return (R)_mm256_sqrt_pd((__m256d)a);
  else
#endif
#if defined(__SSE2__)
      if constexpr (sizeof(R) == 16 && single)
    return (R)_mm_sqrt_ps((__m128)a);
  else if constexpr (sizeof(R) == 16)
    return (R)_mm_sqrt_pd((__m128d)a);
  else
#endif
  {
    R r;
    for (unsigned i = 0; i < sizeof(R) / sizeof(T); ++i)
      if constexpr (single)
        r[i] = __builtin_sqrtf(a[i]);
      else
        r[i] = __builtin_sqrt(a[i]);
    return r;
  }
}

/// a < b ? a : b, and a > b ? a : b: one instruction each, which g++ 12 does not find.
template <class T, class R> WEFT_INLINE R raw_smaller(R a, R b) {
  constexpr bool single = std::is_same_v<T, float>;
#if defined(__AVX512F__)
  if constexpr (sizeof(R) == 64 && single) return (R)_mm512_maskz_min_ps(-1, (__m512)a, (__m512)b);
  if constexpr (sizeof(R) == 64 && !single) return (R)_mm512_maskz_min_pd(-1, (__m512d)a, (__m512d)b);
#endif
#if defined(__AVX__)
  if constexpr (sizeof(R) == 32 && single) return (R)_mm256_min_ps((__m256)a, (__m256)b);
  if constexpr (sizeof(R) == 32 && !single) return (R)_mm256_min_pd((__m256d)a, (__m256d)b);
#endif
#if defined(__SSE2__)
  if constexpr (sizeof(R) == 16 && single) return (R)_mm_min_ps((__m128)a, (__m128)b);
  if constexpr (sizeof(R) == 16 && !single) return (R)_mm_min_pd((__m128d)a, (__m128d)b);
#endif
  return a < b ? a : b;
}
template <class T, class R> WEFT_INLINE R raw_larger(R a, R b) {
  constexpr bool single = std::is_same_v<T, float>;
#if defined(__AVX512F__)
  if constexpr (sizeof(R) == 64 && single) return (R)_mm512_maskz_max_ps(-1, (__m512)a, (__m512)b);
  if constexpr (sizeof(R) == 64 && !single) return (R)_mm512_maskz_max_pd(-1, (__m512d)a, (__m512d)b);
#endif
#if defined(__AVX__)
  if constexpr (sizeof(R) == 32 && single) return (R)_mm256_max_ps((__m256)a, (__m256)b);
  if constexpr (sizeof(R) == 32 && !single) return (R)_mm256_max_pd((__m256d)a, (__m256d)b);
#endif
#if defined(__SSE2__)
  if constexpr (sizeof(R) == 16 && single) return (R)_mm_max_ps((__m128)a, (__m128)b);
  if constexpr (sizeof(R) == 16 && !single) return (R)_mm_max_pd((__m128d)a, (__m128d)b);
#endif
  return a > b ? a : b;
}

enum Rounding { to_nearest = 8, to_floor = 9, to_ceil = 10, to_zero = 11 };  // as the instructions encode them

/// a with the sign bit of `sign`.
template <class T, class R> WEFT_INLINE R with_sign_of(R sign, R a) {
  const auto minus = as<Signed<T>>((T)-0.0 - R{});
  return (R)((as<Signed<T>>(sign) & minus) | (as<Signed<T>>(a) & ~minus));
}
// Without a rounding instruction: adding and taking away 2^(p-1) rounds to nearest; the others correct that by one.
template <class T, class R> WEFT_INLINE R nearest_by_adding(R a) {
  constexpr T big = std::is_same_v<T, float> ? (T)0x1p23 : (T)0x1p52;
  const R size = with_sign_of<T>(R{}, a), rounded = (size + big) - big;
  return with_sign_of<T>(a, size < big ? rounded : a);
}
template <class T, class R> WEFT_INLINE R floor_by_adding(R a) {
  const R r = nearest_by_adding<T>(a);
  return with_sign_of<T>(a, r - (r > a ? (T)1 - R{} : R{}));
}
template <class T, Rounding mode, class R> WEFT_INLINE R raw_round(R a) {
#if defined(__SSE4_1__)
  constexpr bool single = std::is_same_v<T, float>;
#if defined(__AVX512F__)
  if constexpr (sizeof(R) == 64 && single)
    return (R)_mm512_maskz_roundscale_ps(-1, (__m512)a, mode);
  else if constexpr (sizeof(R) == 64)
    return (R)_mm512_maskz_roundscale_pd(-1, (__m512d)a, mode);
  else
#endif
#if defined(__AVX__)
      if constexpr (sizeof(R) == 32 && single)
    return (R)_mm256_round_ps((__m256)a, mode);
  else if constexpr (sizeof(R) == 32)
    return (R)_mm256_round_pd((__m256d)a, mode);
  else
#endif
      if constexpr (sizeof(R) == 16 && single)
    return (R)_mm_round_ps((__m128)a, mode);
  else if constexpr (sizeof(R) == 16)
    return (R)_mm_round_pd((__m128d)a, mode);
  else
#endif
      if constexpr (mode == to_nearest)
    return nearest_by_adding<T>(a);
  else if constexpr (mode == to_floor)
    return floor_by_adding<T>(a);
  else if constexpr (mode == to_ceil)
    return -floor_by_adding<T>(-a);
  else
    return with_sign_of<T>(a, floor_by_adding<T>(with_sign_of<T>(R{}, a)));
}

/// Integer quotient: truncated, x / 0 = 0, min / -1 = min.
template <class T, class R> WEFT_INLINE R raw_quotient(R a, R b) {
  R r;
  for (unsigned i = 0; i < sizeof(R) / sizeof(T); ++i) {
    const T x = a[i], y = b[i];
    if constexpr (std::is_signed_v<T>)
      r[i] = y == 0 ? T(0) : y == T(-1) ? static_cast<T>(Wrapping<T>(0) - static_cast<Wrapping<T>>(x)) : T(x / y);
    else
      r[i] = y == 0 ? T(0) : T(x / y);
  }
  return r;
}

/// The conversions for which g++ 12 does not find the instruction; __builtin_convertvector for the rest.
template <class T, class U, class R> WEFT_INLINE auto convert_by_instruction(R a) {
  constexpr int n = sizeof(R) / sizeof(T);
  using To = Raw<U, n>;
#if defined(__AVX512F__)
  constexpr int wide = 8;
  if constexpr (n == wide && std::is_same_v<T, float> && std::is_same_v<U, double>)
    return (To)_mm512_maskz_cvtps_pd(-1, (__m256)a);
  else if constexpr (n == wide && std::is_same_v<T, double> && std::is_same_v<U, float>)
    return (To)_mm512_maskz_cvtpd_ps(-1, (__m512d)a);
  else if constexpr (n == wide && std::is_same_v<T, std::int64_t> && std::is_same_v<U, std::int32_t>)
    return (To)_mm512_maskz_cvtepi64_epi32(-1, (__m512i)a);
  else if constexpr (n == wide && std::is_same_v<T, std::int32_t> && std::is_same_v<U, std::int64_t>)
    return (To)_mm512_maskz_cvtepi32_epi64(-1, (__m256i)a);
  else if constexpr (n == 16 && std::is_same_v<T, std::int8_t> && std::is_same_v<U, std::int32_t>)
    return (To)_mm512_maskz_cvtepi8_epi32(-1, (__m128i)a);
  else if constexpr (n == 16 && std::is_same_v<T, std::uint8_t> && std::is_same_v<U, std::int32_t>)
    return (To)_mm512_maskz_cvtepu8_epi32(-1, (__m128i)a);
  else if constexpr (n == wide && std::is_same_v<T, std::int8_t> && std::is_same_v<U, std::int64_t>)
    return (To)_mm512_maskz_cvtepi8_epi64(-1, _mm_cvtsi64_si128((long long)a));
  else
#endif
#if defined(__AVX2__)
      if constexpr (n == 4 && std::is_same_v<T, float> && std::is_same_v<U, double>)
    return (To)_mm256_cvtps_pd((__m128)a);
  else if constexpr (n == 4 && std::is_same_v<T, double> && std::is_same_v<U, float>)
    return (To)_mm256_cvtpd_ps((__m256d)a);
  else if constexpr (n == 4 && std::is_same_v<T, std::int32_t> && std::is_same_v<U, std::int64_t>)
    return (To)_mm256_cvtepi32_epi64((__m128i)a);
  else if constexpr (n == 8 && std::is_same_v<T, std::int8_t> && std::is_same_v<U, std::int32_t>)
    return (To)_mm256_cvtepi8_epi32(_mm_cvtsi64_si128((long long)a));
  else if constexpr (n == 8 && std::is_same_v<T, std::uint8_t> && std::is_same_v<U, std::int32_t>)
    return (To)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)a));
  else if constexpr (n == 4 && std::is_same_v<T, std::int8_t> && std::is_same_v<U, std::int64_t>)
    return (To)_mm256_cvtepi8_epi64(_mm_cvtsi32_si128((int)a));
  else
#endif
    return __builtin_convertvector(a, To);
}

/// From lanes of T to as many lanes of U, as ScalarOp::convert.
template <class T, class U, class R> WEFT_INLINE auto raw_convert(R a) {
  constexpr int n = sizeof(R) / sizeof(T);
  using To = Raw<U, n>;
  if constexpr (std::is_same_v<T, U>)
    return a;
  else if constexpr (std::is_floating_point_v<T> && std::is_same_v<U, std::uint8_t>) {
    a = a > (T)0 ? a : R{};  // also NaN
    a = a < (T)255 ? a : (T)255 - R{};
    return __builtin_convertvector(__builtin_convertvector(a, Raw<std::int32_t, n>), To);
  } else if constexpr (std::is_floating_point_v<T> && sizeof(U) > sizeof(T)) {
    return raw_convert<double, U>(convert_by_instruction<float, double>(a));
  } else if constexpr (std::is_floating_point_v<T> && std::is_integral_v<U> && sizeof(U) < sizeof(T)) {
    a = a < (T)2147483647 ? a : (a == a ? (T)2147483647 - R{} : R{});
    a = a > (T)-2147483648.0 ? a : (T)-2147483648.0 - R{};
    return __builtin_convertvector(a, To);
  } else if constexpr (std::is_floating_point_v<T> && std::is_integral_v<U>) {  // as wide
    constexpr T end = sizeof(U) == 4 ? (T)0x1p31 : (T)0x1p63;
    constexpr U top = sizeof(U) == 4 ? (U)0x7fffffff : (U)0x7fffffffffffffff;
    const auto high = (Raw<Signed<T>, n>)(a >= end),
               inside = (Raw<Signed<T>, n>)(a < end) & (Raw<Signed<T>, n>)(a >= -end);
    const auto low = (Raw<Signed<T>, n>)(a < -end);
    const To r = __builtin_convertvector(inside ? a : R{}, To);
    return (To)(high ? top - To{} : (low ? (-top - 1) - To{} : r));
  } else if constexpr (std::is_same_v<T, std::uint8_t> && std::is_floating_point_v<U>) {
    return convert_by_instruction<std::int32_t, U>(convert_by_instruction<T, std::int32_t>(a));
  } else {
    return convert_by_instruction<T, U>(a);
  }
}

// The domain itself.

template <class T, int L> struct NativeMask {
  Lanes<Signed<T>, L> s;

  /// Reads L bools, bytes of 0 or 1.
  WEFT_INLINE static NativeMask load(const bool* p) {
    Lanes<std::int8_t, L> b;
    __builtin_memcpy(&b, p, L);
    return {map<Lanes<Signed<T>, L>>([](auto v) WEFT_LAMBDA { return -raw_convert<std::int8_t, Signed<T>>(v); }, b)};
  }
  WEFT_INLINE void store(bool* p) const {
    const auto b =
        map<Lanes<std::int8_t, L>>([](auto v) WEFT_LAMBDA { return -raw_convert<Signed<T>, std::int8_t>(v); }, s);
    __builtin_memcpy(p, &b, L);
  }

  // Written as selections: g++ 12 may fold (a < b) | (a == b) into a <= b in place, and so change another use of a ==
  // b.
  WEFT_INLINE friend NativeMask operator&(NativeMask a, NativeMask b) {
    return {map<Lanes<Signed<T>, L>>([](auto x, auto y) WEFT_LAMBDA { return x ? y : decltype(x){}; }, a.s, b.s)};
  }
  WEFT_INLINE friend NativeMask operator|(NativeMask a, NativeMask b) {
    return {map<Lanes<Signed<T>, L>>([](auto x, auto y) WEFT_LAMBDA { return x ? ~decltype(x){} : y; }, a.s, b.s)};
  }
  WEFT_INLINE friend NativeMask operator^(NativeMask a, NativeMask b) {
    return {map<Lanes<Signed<T>, L>>([](auto x, auto y) WEFT_LAMBDA { return x ^ y; }, a.s, b.s)};
  }
  WEFT_INLINE friend NativeMask operator!(NativeMask a) {
    return {map<Lanes<Signed<T>, L>>([](auto x) WEFT_LAMBDA { return ~x; }, a.s)};
  }
};

template <class T, int L> struct Native {
  using S = Lanes<T, L>;
  using W = Wrapping<T>;
  S s;

  Native() = default;
  WEFT_INLINE explicit Native(S lanes) : s(lanes) {}
  template <class Number>
  requires std::is_arithmetic_v<Number> WEFT_INLINE Native(Number c) : s(filled<L>(static_cast<T>(c))) {}

  /// Reads L elements, aligned or not.
  WEFT_INLINE static Native load(const T* p) {
    Native r;
    __builtin_memcpy(&r.s, p, sizeof r.s);
    return r;
  }
  WEFT_INLINE void store(T* p) const { __builtin_memcpy(p, &s, sizeof s); }

  WEFT_INLINE friend Native operator+(Native a, Native b) {
    return each([](auto x, auto y) WEFT_LAMBDA { return as<W>(x) + as<W>(y); }, a, b);
  }
  WEFT_INLINE friend Native operator-(Native a, Native b) {
    return each([](auto x, auto y) WEFT_LAMBDA { return as<W>(x) - as<W>(y); }, a, b);
  }
  WEFT_INLINE friend Native operator*(Native a, Native b) {
    return each([](auto x, auto y) WEFT_LAMBDA { return as<W>(x) * as<W>(y); }, a, b);
  }
  WEFT_INLINE friend Native operator/(Native a, Native b) {
    if constexpr (std::is_floating_point_v<T>)
      return each([](auto x, auto y) WEFT_LAMBDA { return x / y; }, a, b);
    else
      return each([](auto x, auto y) WEFT_LAMBDA { return raw_quotient<T>(x, y); }, a, b);
  }
  WEFT_INLINE friend Native operator-(Native a) {
    return each([](auto x) WEFT_LAMBDA { return -as<W>(x); }, a);
  }

  WEFT_INLINE friend Native operator&(Native a, Native b) {
    return each([](auto x, auto y) WEFT_LAMBDA { return x & y; }, a, b);
  }
  WEFT_INLINE friend Native operator|(Native a, Native b) {
    return each([](auto x, auto y) WEFT_LAMBDA { return x | y; }, a, b);
  }
  WEFT_INLINE friend Native operator^(Native a, Native b) {
    return each([](auto x, auto y) WEFT_LAMBDA { return x ^ y; }, a, b);
  }
  WEFT_INLINE friend Native operator~(Native a) {
    return each([](auto x) WEFT_LAMBDA { return ~x; }, a);
  }

  WEFT_INLINE friend Native abs(Native a) {
    if constexpr (std::is_floating_point_v<T>)
      return each([](auto x) WEFT_LAMBDA { return with_sign_of<T>(decltype(x){}, x); }, a);
    else if constexpr (std::is_signed_v<T>)
      return where(a < Native(0), -a, a);
    else
      return a;
  }
  WEFT_INLINE friend Native fma(Native a, Native b, Native c) {
    return each([](auto x, auto y, auto z) WEFT_LAMBDA { return raw_fma<T>(x, y, z); }, a, b, c);
  }
  WEFT_INLINE friend Native scalb(Native a, Native n) {
    return each([](auto x, auto y) WEFT_LAMBDA { return raw_scalb<T>(x, y); }, a, n);
  }
  WEFT_INLINE friend Native exponent(Native a) {
    return each([](auto x) WEFT_LAMBDA { return raw_exponent<T>(x); }, a);
  }
  WEFT_INLINE friend Native significand(Native a) {
    return each([](auto x) WEFT_LAMBDA { return raw_significand<T>(x); }, a);
  }
  WEFT_INLINE friend Native sqrt(Native a) {
    return each([](auto x) WEFT_LAMBDA { return raw_sqrt<T>(x); }, a);
  }
  /// where(a < b, a, b) and where(a > b, a, b) of floats; not in the domain, math/core.h takes them where they are.
  WEFT_INLINE friend Native smaller(Native a, Native b) requires std::is_floating_point_v<T> {
    return each([](auto x, auto y) WEFT_LAMBDA { return raw_smaller<T>(x, y); }, a, b);
  }
  WEFT_INLINE friend Native larger(Native a, Native b) requires std::is_floating_point_v<T> {
    return each([](auto x, auto y) WEFT_LAMBDA { return raw_larger<T>(x, y); }, a, b);
  }
  WEFT_INLINE friend Native floor(Native a) {
    return each([](auto x) WEFT_LAMBDA { return raw_round<T, to_floor>(x); }, a);
  }
  WEFT_INLINE friend Native ceil(Native a) {
    return each([](auto x) WEFT_LAMBDA { return raw_round<T, to_ceil>(x); }, a);
  }
  WEFT_INLINE friend Native trunc(Native a) {
    return each([](auto x) WEFT_LAMBDA { return raw_round<T, to_zero>(x); }, a);
  }
  WEFT_INLINE friend Native nearest(Native a) {
    return each([](auto x) WEFT_LAMBDA { return raw_round<T, to_nearest>(x); }, a);
  }

  using M = NativeMask<T, L>;
  WEFT_INLINE friend M operator<(Native a, Native b) {
    return compare([](auto x, auto y) WEFT_LAMBDA { return x < y; }, a, b);
  }
  WEFT_INLINE friend M operator<=(Native a, Native b) {
    return compare([](auto x, auto y) WEFT_LAMBDA { return x <= y; }, a, b);
  }
  WEFT_INLINE friend M operator>(Native a, Native b) { return b < a; }
  WEFT_INLINE friend M operator>=(Native a, Native b) { return b <= a; }
  WEFT_INLINE friend M operator==(Native a, Native b) {
    return compare([](auto x, auto y) WEFT_LAMBDA { return x == y; }, a, b);
  }
  WEFT_INLINE friend M operator!=(Native a, Native b) {
    return compare([](auto x, auto y) WEFT_LAMBDA { return x != y; }, a, b);
  }

 private:
  template <int n> WEFT_INLINE static Lanes<T, n> filled(T c) {
    if constexpr (Lanes<T, n>::is_whole)
      return {c - Raw<T, n>{}};  // c - 0: keeps the sign of -0
    else
      return {filled<n / 2>(c), filled<n / 2>(c)};
  }
  template <class F, class... V> WEFT_INLINE static Native each(F f, V... v) { return Native(map<S>(f, v.s...)); }
  template <class F> WEFT_INLINE static M compare(F f, Native a, Native b) {
    return {map<Lanes<Signed<T>, L>>(f, a.s, b.s)};
  }
};

template <class T, int L> WEFT_INLINE Native<T, L> where(NativeMask<T, L> m, Native<T, L> a, Native<T, L> b) {
  return Native<T, L>(map<Lanes<T, L>>([](auto c, auto x, auto y) WEFT_LAMBDA { return c ? x : y; }, m.s, a.s, b.s));
}
template <class T, int L> WEFT_INLINE Native<detail::SignedAs<T>, L> bits(Native<T, L> a) {
  using I = detail::SignedAs<T>;
  static_assert(sizeof(I) == sizeof(T));
  return Native<I, L>(map<Lanes<I, L>>([](auto x) WEFT_LAMBDA { return x; }, a.s));
}
template <class V, class I, int L> WEFT_INLINE V from_bits(Native<I, L> a) {
  return V(map<typename V::S>([](auto x) WEFT_LAMBDA { return x; }, a.s));
}
template <int n, class I, int L> WEFT_INLINE Native<I, L> shl(Native<I, L> a) {
  return Native<I, L>(map<Lanes<I, L>>([](auto x) WEFT_LAMBDA { return as<Wrapping<I>>(x) << n; }, a.s));
}
template <int n, class I, int L> WEFT_INLINE Native<I, L> shr(Native<I, L> a) {
  return Native<I, L>(map<Lanes<I, L>>([](auto x) WEFT_LAMBDA { return as<Wrapping<I>>(x) >> n; }, a.s));
}
template <int n, class I, int L> WEFT_INLINE Native<I, L> sar(Native<I, L> a) {
  return Native<I, L>(map<Lanes<I, L>>([](auto x) WEFT_LAMBDA { return as<Signed<I>>(x) >> n; }, a.s));
}
template <class V, class T, int L> WEFT_INLINE V convert(Native<T, L> a) {
  using U = typename DomainTraits<V>::Element;
  return V(map<Lanes<U, L>>([](auto x) WEFT_LAMBDA { return raw_convert<T, U>(x); }, a.s));
}

}  // namespace

template <class T, int L> struct DomainTraits<Native<T, L>> {
  using Element = T;
  using Mask = NativeMask<T, L>;
  using Int = Native<detail::SignedAs<T>, L>;
  template <class U> using Rebind = Native<U, L>;
};

}  // namespace weft

#undef WEFT_INLINE
#undef WEFT_LAMBDA
