// erfinv. An f32 is computed in f64.
#pragma once

#include "log.h"
#include "two.h"

namespace weft::math {

/// ±inf at ±1, NaN beyond. Within 2 ulp.
template <class V> [[gnu::always_inline]] inline V erfinv(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(erfinv(convert<Rebind<V, double>>(x)));
  } else {
    // Up to 3/4: a sqrt(pi)/2 + a^3 p(a^2), the first product a sum of two. tools/fit.py erfinv: error 2^-59.5
    const V a = abs(x), square = a * a;
    const V p = polynomial(
        square, 0x1.db29fb2fee5e4p-3, 0x1.053c2c0ab91ddp-3, 0x1.62847c47d9a66p-4, 0x1.0a13189e89fccp-4,
        0x1.a7c85b5c70a04p-5, 0x1.5eeb50ec1d4eap-5, 0x1.2ab4ac1ea5f98p-5, 0x1.04140910fbcp-5, 0x1.bb9e431f58ba6p-6,
        0x1.2380bd1e63958p-5, -0x1.2b6db6c947ed7p-4, 0x1.687a2aed10ee6p-1, -0x1.ef23dfbfebbaap1, 0x1.1c04835327ceap4,
        -0x1.046c0ec9398e2p6, 0x1.8113130ad10f4p7, -0x1.c8928e7434ac1p8, 0x1.aeece655baff7p9, -0x1.3f528163c868ep10,
        0x1.6b9bb8805f991p10, -0x1.333664872ecd5p10, 0x1.6b41b8485aaabp9, -0x1.0cbda8c3cba3dp8, 0x1.77f97127a081ep5);
    const auto slope = two_product(a, V(0x1.c5bf891b4ef6bp-1));
    const V central = slope.high + fma(a * square, p, fma(a, V(-0x1.618f13eb7ca89p-55), slope.low));
    // Beyond: r - 7/16 + q((r - 3) / (r + 3)), r = sqrt(-log((1 - a) / 2)) <= 6.12 as a sum of two.
    // tools/fit.py erfinv_tail: error 2^-57.1
    const auto [e, f] = reduce_log(V(0.5) * (V(1) - a));
    const auto log = log_parts(e, f);
    const auto size = ordered_sum(-log.high, -log.low);
    const V r = sqrt(size.high), r_low = (fma(-r, r, size.high) + size.low) / (r + r), v = (r - V(3)) / (r + V(3));
    const V q = polynomial(v, 0x1.e21f758fd78eep-6, 0x1.0736002a96afdp-1, -0x1.ee580ef21eb9dp-3, 0x1.7985946dedd6dp-3,
                           -0x1.f21f020947fbcp-4, 0x1.9c489309d032p-4, -0x1.395c8bca666edp-4, 0x1.160d7d9d3a9b9p-4,
                           -0x1.c7edd5e456753p-5, 0x1.a0a4ef2dd5f55p-5, -0x1.6353d162ab4e3p-5, 0x1.4a9e27ff3c516p-5,
                           -0x1.21bcd10bd1519p-5, 0x1.1112f6a72a28ap-5, -0x1.e7fac2947a519p-6, 0x1.cd94ed365be1p-6,
                           -0x1.a0acae80bc52cp-6, 0x1.a401b447741dep-6, -0x1.8abae2292b4a2p-6, 0x1.fe1cc22974766p-7,
                           -0x1.8e30cec0df37dp-7, 0x1.306025c2b11abp-5, -0x1.3848f4706a0cfp-5);
    const V s = r - V(0.4375), s_low = ((r - s) - V(0.4375)) + r_low;
    const V finite = where(a <= V(0.75), central, s + (s_low + q));
    return with_sign(where(a < V(1), finite, where(a == V(1), V(infinity<V>), V(not_a_number<V>))), x);
  }
}

}  // namespace weft::math
