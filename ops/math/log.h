// log, log2 and log1p.
#pragma once

#include "core.h"

namespace weft::math {

namespace detail {

/// x = 2^e (1 + f), f in [-1/4, 1/2). Of 0 and inf e is -inf and inf, f 0; of what has no logarithm both are NaN: so a
/// sum of e and something of f is right for them too.
template <class V> struct LogReduction { V e, f; };
template <class V> [[gnu::always_inline]] inline LogReduction<V> reduce_log(V x) {
  return {exponent(x), significand(x) - V(1)};
}

/// (log(1 + f) - f) / f^2
template <class V> [[gnu::always_inline]] inline V log_polynomial(V f) {
  if constexpr (is_f32<V>)
    // fpminimax(log(1+x), [|3,...,10|], [|SG...|], [-1/4;1/2], relative, x-x^2/2); error 2^-27.6
    return polynomial(f, -0.5, 0x1.5555a4p-2, -0x1.000042p-2, 0x1.996966p-3, -0x1.54ef16p-3, 0x1.2886b8p-3,
                      -0x1.0d93f4p-3, 0x1.aca08ep-4, -0x1.713e36p-5);
  else
    // fpminimax(log(1+x), [|3,...,22|], [|D...|], [-1/4;1/2], relative, x-x^2/2); error 2^-59.2
    return polynomial(f, -0.5, 0x1.555555555554ap-2, -0x1.0000000000157p-2, 0x1.999999999c724p-3, -0x1.555555552c09p-3,
                      0x1.24924922a1953p-3, -0x1.0000000d28d6dp-3, 0x1.c71c730bc2ff6p-4, -0x1.9999967a6fd23p-4,
                      0x1.745cde70074e4p-4, -0x1.55554b0577aefp-4, 0x1.3b191464f6253p-4, -0x1.249d88eba8ff5p-4,
                      0x1.10d29f24cdecbp-4, -0x1.fded7ecf49107p-5, 0x1.e2a85c107fa86p-5, -0x1.d95a7a10ff845p-5,
                      0x1.cfa4fa3344dc9p-5, -0x1.82d8a7f3115e9p-5, 0x1.b3d9d777cae63p-6, -0x1.d0b93013d77e2p-8);
}

/// e ln 2 + log(1 + f), as a sum of two; `low` NaN where e is not finite.
template <class V> struct LogParts {
  V high, low;
  [[gnu::always_inline]] V sum() const { return high + low; }
};
template <class V> [[gnu::always_inline]] inline LogParts<V> log_parts(V e, V f) {
  // round(log(2),16,RN) and round(log(2),40,RN): e times it is exact.
  constexpr double high = is_f32<V> ? 0x1.62e4p-1 : 0x1.62e42fefa4p-1;
  constexpr double low = is_f32<V> ? 0x1.7f7d1cp-20 : -0x1.8432a1b0e2634p-43;
  // The leading sum, and exactly what its rounding lost.
  const V sum = fma(e, V(high), f), lost = f - fma(e, V(-high), sum);
  return {sum, fma(f * f, log_polynomial(f), e * V(low)) + lost};
}

/// n ln 2 + log(1 + x), as a sum of two, from 1 + x = 2^e (1 + f); scale = 2^-e.
template <class V> struct Log1pParts {
  LogParts<V> log;
  V e, f, scale;
};
template <class V> [[gnu::always_inline]] inline Log1pParts<V> log1p_parts(V x, V n) {
  // 1 + f is u's significand, and what the rounding of u lost. That is nothing where 2^-e is no normal number.
  const V u = x + V(1), e = exponent(u), capped = at_most(e, exponent_bias<V> - 1);
  const V scale = from_bits<V>(shl<mantissa<V>>(bits(V(rounder<V> + exponent_bias<V>) - capped)));
  const V f = fma(x - (u - V(1)), scale, significand(u) - V(1));
  return {log_parts(e + n, f), e, f, scale};
}
/// n ln 2 + log(1 + x + x_low), x_low some units of x's last bit.
template <class V> [[gnu::always_inline]] inline V log1p_sum(V x, V x_low, V n) {
  const auto [log, e, f, scale] = log1p_parts(x, n);
  const V f_low = x_low * scale;
  return log.high + (log.low + fma(-f, f_low, f_low));
}

}  // namespace detail

/// Within 1 ulp.
template <class V> [[gnu::always_inline]] inline V log(V x) {
  using namespace detail;
  const auto [e, f] = reduce_log(x);
  const V square = f * f, q = log_polynomial(f);
  // log(1 + f), rounded once. Where that is large beside the result, between 1/4 and 1/2 with e = 1 or -1, the last
  // sum is exact. Of f32, e ln2_low is a twentieth of an ulp.
  const V r = is_f32<V> ? fma(square, q, f) : f + fma(square, q, e * V(ln2_low<V>));
  return fma(e, V(ln2_high<V>), r);
}

template <class V> [[gnu::always_inline]] inline V log2(V x) {
  using namespace detail;
  const auto [e, f] = reduce_log(x);
  V q = V(0);  // log2(1 + f) = f + f q
  if constexpr (is_f32<V>)
    // fpminimax(log2(1+x), [|1,...,10|], [|SG...|], [-1/4;1/2], relative, x); error 2^-26.2
    q = polynomial(f, 0x1.c551d8p-2, -0x1.715476p-1, 0x1.ec719ep-2, -0x1.7155c2p-2, 0x1.274516p-2, -0x1.eb8cdep-3,
                   0x1.ac88f8p-3, -0x1.883652p-3, 0x1.383a12p-3, -0x1.0ab242p-4);
  else
    // fpminimax(log2(1+x), [|1,...,22|], [|D...|], [-1/4;1/2], relative, x); error 2^-56
    q = polynomial(f, 0x1.c551d94ae0bf8p-2, -0x1.71547652b82fdp-1, 0x1.ec709dc3a04cep-2, -0x1.71547652b8975p-2,
                   0x1.2776c50ef1f58p-2, -0x1.ec709dc2fa837p-3, 0x1.a61762aadccd1p-3, -0x1.7154768aed33cp-3,
                   0x1.484b13e2bcd05p-3, -0x1.2776bbcd8391bp-3, 0x1.0c9a68989e13dp-3, -0x1.ec7204d9a288ep-4,
                   0x1.c697dff7d5246p-4, -0x1.a6131eacd3e31p-4, 0x1.896abf3ad5af8p-4, -0x1.7044a11c52699p-4,
                   0x1.5e5d2660a3b43p-4, -0x1.56f3f02c42232p-4, 0x1.472f76b1cdbecp-4, -0x1.0466c6eaa3cc5p-4,
                   0x1.1694b88cd6a54p-5, -0x1.1b6a2dfcfe321p-7);
  return e + fma(f, q, f);
}

template <class V> [[gnu::always_inline]] inline V log10(V x) {
  using namespace detail;
  const auto [e, f] = reduce_log(x);
  // 1/log(10) as a sum of two, and log10(2) too: round(log10(2),16,RD) and round(log10(2),40,RD),
  // of one sign because e may be infinite.
  constexpr double high = is_f32<V> ? 0x1.bcb7b20000000p-2 : 0x1.bcb7b1526e50ep-2,
                   low = is_f32<V> ? -0x1.5b235e0000000p-27 : 0x1.95355baaafad3p-57;
  constexpr double two_high = is_f32<V> ? 0x1.344p-2 : 0x1.34413509f6p-2,
                   two_low = is_f32<V> ? 0x1.3509f8p-18 : 0x1.9fef311f12b36p-42;
  const V small = fma(f, V(low), fma(f * f * log_polynomial(f), V(high), e * V(two_low)));
  return fma(e, V(two_high), fma(f, V(high), small));
}

template <class V> [[gnu::always_inline]] inline V log1p(V x) {
  using namespace detail;
  // So near 0 it is x; the square of that would be a denormal number, which costs the processor a hundred cycles.
  const auto small = abs(x) < V(is_f32<V> ? 0x1p-26 : 0x1p-55);
  const auto [log, e, f, scale] = log1p_parts(where(small, V(0), x), V(0));
  const V result = where(abs(e) < V(infinity<V>), log.sum(), e);
  return where(small, x, result);
}

/// x log(y); 0 where x is 0 and y no NaN.
template <class V> [[gnu::always_inline]] inline V xlogy(V x, V y) {
  using namespace detail;
  const auto [e, f] = reduce_log(y);
  const auto [high, low] = log_parts(e, f);
  const auto finite = x - x == e - e;  // both
  const V product = fma(x, high, where(finite, x * low, V(0)));
  return where((x == V(0)) & (y == y), V(0), product);
}

}  // namespace weft::math
