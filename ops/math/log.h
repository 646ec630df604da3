// log, log2 and log1p.
#pragma once

#include "core.h"

namespace weft::math {

namespace detail {

/// x = 2^e (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), for positive finite x.
template <class V> struct LogReduction { V e, f; };
/// The bits of sqrt(1/2), below which a mantissa counts for the exponent before.
template <class V> inline constexpr std::int64_t bits_of_half_root = is_f32<V> ? 0x3f3504f3 : 0x3fe6a09e667f3bcd;

/// As many powers of two as stand in x, and what is left of it as the bits of 1 + f; x normal.
template <class V> [[gnu::always_inline]] inline LogReduction<V> reduce_normal(V x) {
  const Int<V> i = bits(x) - Int<V>(bits_of_half_root<V>);
  const Int<V> m = (i & Int<V>((std::int64_t{1} << mantissa<V>)-1)) + Int<V>(bits_of_half_root<V>);
  return {to_float<V>(sar<mantissa<V>>(i)), from_bits<V>(m) - V(1)};
}
template <class V> [[gnu::always_inline]] inline LogReduction<V> reduce_log(V x) {
  constexpr double step = is_f32<V> ? 0x1p23 : 0x1p52;
  const auto subnormal = x < V(smallest_normal<V>);
  const auto [e, f] = reduce_normal(where(subnormal, x * V(step), x));
  return {where(subnormal, e - V(mantissa<V>), e), f};
}

/// The values of a logarithm that the reduction cannot give: of 0, negative numbers and inf. NaN is kept.
template <class V> [[gnu::always_inline]] inline V log_special(V x, V result) {
  result = where(x > V(0), result, where(x == V(0), V(-infinity<V>), V(not_a_number<V>)));
  return where(x == V(infinity<V>), x, result);
}

/// (log(1 + f) - f) / f^2
template <class V> [[gnu::always_inline]] inline V log_polynomial(V f) {
  if constexpr (is_f32<V>)
    // fpminimax(log(1+x), [|3,...,10|], [|SG...|], [sqrt(.5)-1;sqrt(2)-1], relative, x-x^2/2); error 2^-26.9
    return polynomial(f, -0.5, 0x1.55557p-2, -0x1.000234p-2, 0x1.99944ep-3, -0x1.5466fep-3, 0x1.239ce2p-3,
                      -0x1.0e96ccp-3, 0x1.015976p-3, -0x1.2a6f8p-4);
  else
    // fpminimax(log(1+x), [|3,...,22|], [|D...|], [sqrt(.5)-1;sqrt(2)-1], relative, x-x^2/2); error 2^-59.3
    return polynomial(f, -0.5, 0x1.555555555556bp-2, -0x1.ffffffffffe7dp-3, 0x1.9999999994d55p-3, -0x1.555555556b002p-3,
                      0x1.249249275fd5fp-3, -0x1.fffffff3bdb35p-4, 0x1.c71c702d36a91p-4, -0x1.99999a9be01f6p-4,
                      0x1.745d58e7a467ap-4, -0x1.5555774a6a88bp-4, 0x1.3b0d77aa9c87ap-4, -0x1.248941ccf6eb8p-4,
                      0x1.116a035bd0781p-4, -0x1.00d00e97472eap-4, 0x1.dc98710c547e1p-5, -0x1.b45a2cd0407cp-5,
                      0x1.bba4ecec2c0d5p-5, -0x1.010a02ef0b708p-4, 0x1.d2caa931d627ap-5, -0x1.8de12a56de8cap-6);
}

/// e ln 2 + log(1 + f), as a sum of two.
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

/// n ln 2 + log(1 + x) for x > -1, as a sum of two, from 1 + x = (1 + f) / scale.
template <class V> struct Log1pParts {
  LogParts<V> log;
  V f, scale;
};
template <class V> [[gnu::always_inline]] inline Log1pParts<V> log1p_parts(V x, V n) {
  // 1 + x = 2^e (1 + f) + a rounding error, so f = x 2^-e + (2^-e - 1). A huge x is its own 1 + x; divided by 2^32
  // it keeps 2^-e normal.
  const auto huge = x > V(is_f32<V> ? 0x1p100 : 0x1p1000);
  const V scaled = where(huge, x * V(0x1p-32), x), u = scaled + V(1);
  const Int<V> e = sar<mantissa<V>>(bits(u) - Int<V>(bits_of_half_root<V>));
  const V scale = from_bits<V>(Int<V>(bits_of_one<V>) - shl<mantissa<V>>(e));
  const V f = fma(scaled, scale, scale - V(1));
  return {log_parts(to_float<V>(e) + where(huge, n + V(32), n), f), f, scale};
}
/// n ln 2 + log(1 + x + x_low), x_low some units of x's last bit.
template <class V> [[gnu::always_inline]] inline V log1p_sum(V x, V x_low, V n) {
  const auto [log, f, scale] = log1p_parts(x, n);
  const V f_low = x_low * scale;
  return log.high + (log.low + fma(-f, f_low, f_low));
}

}  // namespace detail

/// Within 1 ulp.
template <class V> [[gnu::always_inline]] inline V log(V x) {
  using namespace detail;
  const auto [e, f] = reduce_log(x);
  const V square = f * f, q = log_polynomial(f);
  // log(1 + f), rounded once. Where that is large beside the result, between 1/4 and ln 2 / 2 with e = 1 or -1, the
  // last sum is exact. Of f32, e ln2_low is a twentieth of an ulp.
  const V r = is_f32<V> ? fma(square, q, f) : f + fma(square, q, e * V(ln2_low<V>));
  return log_special(x, fma(e, V(ln2_high<V>), r));
}

template <class V> [[gnu::always_inline]] inline V log2(V x) {
  using namespace detail;
  const auto [e, f] = reduce_log(x);
  constexpr double high = is_f32<V> ? 0x1.715476p0 : 0x1.71547652b82fep0;
  constexpr double low = is_f32<V> ? 0x1.4ae0cp-26 : 0x1.777d0ffda0d24p-56;
  V q = V(0);
  if constexpr (is_f32<V>)
    // fpminimax(log2(1+x)-x/log(2), [|2,...,10|], [|SG...|], [sqrt(.5)-1;sqrt(2)-1], relative); error 2^-26.6
    q = polynomial(f, -0x1.715476p-1, 0x1.ec7098p-2, -0x1.7156dcp-2, 0x1.277c1ap-2, -0x1.eb5ca8p-3, 0x1.a39facp-3,
                   -0x1.82efe8p-3, 0x1.783726p-3, -0x1.caed2p-4);
  else
    // fpminimax(log2(1+x)-x/log(2), [|2,...,22|], [|D...|], [sqrt(.5)-1;sqrt(2)-1], relative); error 2^-58.1
    q = polynomial(f, -0x1.71547652b82fep-1, 0x1.ec709dc3a0408p-2, -0x1.71547652b831cp-2, 0x1.2776c50ef8281p-2,
                   -0x1.ec709dc3a1f75p-3, 0x1.a61762a9f14cap-3, -0x1.71547652656b7p-3, 0x1.484b131bd8097p-3,
                   -0x1.2776c49e9574cp-3, 0x1.0c9aa58e15d83p-3, -0x1.ec70f623f0e7ep-4, 0x1.c688a70e8e6bp-4,
                   -0x1.a609902a381ap-4, 0x1.8a57e3a4d6646p-4, -0x1.72750c27befffp-4, 0x1.588fa91647553p-4,
                   -0x1.3b844d8f2410bp-4, 0x1.3d5635c23aad1p-4, -0x1.6f0c5769bbdc6p-4, 0x1.53c380af3a6b7p-4,
                   -0x1.297c26de8bbbbp-5);
  return log_special(x, e + fma(f, V(high), fma(f, V(low), f * f * q)));
}

template <class V> [[gnu::always_inline]] inline V log10(V x) {
  using namespace detail;
  const auto [e, f] = reduce_log(x);
  // 1/log(10) as a sum of two, and log10(2) too: round(log10(2),16,RN) and round(log10(2),40,RN).
  constexpr double high = is_f32<V> ? 0x1.bcb7b20000000p-2 : 0x1.bcb7b1526e50ep-2,
                   low = is_f32<V> ? -0x1.5b235e0000000p-27 : 0x1.95355baaafad3p-57;
  constexpr double two_high = is_f32<V> ? 0x1.3442000000000p-2 : 0x1.34413509f8000p-2,
                   two_low = is_f32<V> ? -0x1.95ec100000000p-19 : -0x1.80433b83b532ap-44;
  const V small = fma(f, V(low), fma(f * f * log_polynomial(f), V(high), e * V(two_low)));
  return log_special(x, fma(e, V(two_high), fma(f, V(high), small)));
}

template <class V> [[gnu::always_inline]] inline V log1p(V x) {
  using namespace detail;
  const V result = log1p_parts(x, V(0)).log.sum();
  const V ends = where(x == V(-1), V(-infinity<V>), where(x == V(infinity<V>), x, V(not_a_number<V>)));
  return where(abs(x) < V(is_f32<V> ? 0x1p-25 : 0x1p-54), x, where((x > V(-1)) & (x < V(infinity<V>)), result, ends));
}

/// x log(y); 0 where x is 0 and y no NaN.
template <class V> [[gnu::always_inline]] inline V xlogy(V x, V y) {
  using namespace detail;
  const auto [e, f] = reduce_log(y);
  const auto [high, low] = log_parts(e, f);
  const V l = log_special(y, high), product = fma(x, l, where(abs(x) < V(infinity<V>), x * low, V(0)));
  return where((x == V(0)) & (y == y), V(0), product);
}

}  // namespace weft::math
