// The modified Bessel functions i0 and i1. An f32 is computed in f64.
#pragma once

#include "exp.h"
#include "two.h"

namespace weft::math {

namespace detail {

/// e^b / sqrt(b) (q0 + u p), b >= 8; q0 a sum of two.
template <class D> [[gnu::always_inline]] inline D grown(D b, D u, D p, double q0, double q0_low) {
  const Two<D> q = last_step(u, p, q0, q0_low);
  // y = q / sqrt(b) as a sum of two.
  const D s = sqrt(b), inverse = D(1) / s, y = q.high * inverse, root_low = D(0.5) * inverse * fma(-s, s, b);
  const D y_low = (fma(-y, root_low, fma(-y, s, q.high)) + q.low) * inverse;
  const auto reduced = reduce_exp(b);
  const D power = power_less_one(reduced, D(0));
  return scalb(y + fma(y, power, fma(y_low, power, y_low)), reduced.n);
}

}  // namespace detail

/// Within 2 ulp.
template <class V> [[gnu::always_inline]] inline V i0(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(i0(convert<Rebind<V, double>>(x)));
  } else {
    const V a = at_most(abs(x), 720), h = V(0.5) * a, u = V(16) / a - V(1);  // beyond 720 it is inf
    const auto z = two_product(h, h);
    // From its series in z = x^2/4: fpminimax(.., 17, [|D...|], [0;16], relative); error 2^-65
    const V inner =
        polynomial(z.high, 0x1.c71c71c71c733p-10, 0x1.23456789abb02p-14, 0x1.02e85c089b7a9p-19, 0x1.522a43f60147ep-25,
                   0x1.522a43fcf845fp-31, 0x1.0b31322a3dc86p-37, 0x1.56019017d37f7p-44, 0x1.69ca28cde5dedp-51,
                   0x1.419c9857454f3p-58, 0x1.e6d8d84c581dep-66, 0x1.3fb7ed0118ab4p-73, 0x1.5f7697c9fe5dep-81,
                   0x1.8c50b3c24aap-89, 0x1.47b713046f0a4p-97);
    const V near = last_steps(z, inner, 0x1p0, 0x1p0, 0x1p-2, 0x1.c71c71c71c71cp-6).sum();
    // i0(x) e^-x sqrt(x). tools/fit.py i0: error 2^-59.8
    const V p =
        polynomial(u, 0x1.b87969bb93bd7p-9, 0x1.1daa72b5e6a2bp-13, 0x1.75e5ee6f69023p-17, 0x1.8e513a02c2d6fp-20,
                   0x1.3f49b0aedc757p-22, 0x1.7d0fae65a6025p-24, 0x1.51ca3862a9c46p-25, 0x1.721771b9657b5p-26,
                   0x1.0425dad2631a9p-27, -0x1.ccc574e4f7006p-28, -0x1.cfd11d0f31cbcp-27, -0x1.8044d06f9e81ep-28,
                   0x1.0e9dea67b8d51p-27, 0x1.123e550f49ff7p-27, -0x1.27cfd03f1e1f1p-28, -0x1.e5789bacc3895p-28,
                   0x1.8df21e2da9017p-29, 0x1.63a6eee5b276fp-28, -0x1.315eb9596b92p-29, -0x1.a3eb826f6c672p-29,
                   0x1.9dfe7c6a9bb57p-30, 0x1.6bc2235fdaa8dp-30, -0x1.98e0ee984fbdp-31, -0x1.90c74e4cf61b1p-32,
                   0x1.f3ef31649b2efp-33, 0x1.9f03969e2d4abp-35, -0x1.18559fd288508p-35);
    return where(a < V(8), near, grown(a, u, p, 0x1.9bd428ad249a5p-2, -0x1.d31929d68b24dp-56));
  }
}

/// Within 2 ulp.
template <class V> [[gnu::always_inline]] inline V i1(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(i1(convert<Rebind<V, double>>(x)));
  } else {
    // As i0, of i1(x) / (x/2), error 2^-63, and of i1(x) e^-x sqrt(x), tools/fit.py i1: error 2^-59.6.
    const V a = at_most(abs(x), 720), h = V(0.5) * a, u = V(16) / a - V(1);
    const auto z = two_product(h, h);
    const V inner =
        polynomial(z.high, 0x1.6c16c16c169abp-12, 0x1.845c8a0ce9a9p-17, 0x1.27e4fb7732924p-22, 0x1.522a43ff1b8dap-28,
                   0x1.2c97583bd5f32p-34, 0x1.ab81fac9a6e4dp-41, 0x1.f1755c3c94966p-48, 0x1.e275204324f9bp-55,
                   0x1.8b13f222ba106p-62, 0x1.1bf8de7c1ac9ap-69, 0x1.164dbbab9d018p-77, 0x1.940b4ea40631cp-84,
                   -0x1.960527d25208bp-91, 0x1.0a142e070f13cp-97);
    const auto f = last_steps(z, inner, 0x1p0, 0x1p-1, 0x1.5555555555555p-4, 0x1.c71c71c71c733p-8);
    const V p =
        polynomial(u, -0x1.3f796198ee64p-7, -0x1.cbc54df1ed3a3p-13, -0x1.f89c23040376p-17, -0x1.ec8e0ffbd1faap-20,
                   -0x1.761387f2c7dd5p-22, -0x1.ad8df1c55d5ddp-24, -0x1.727602d3f0168p-25, -0x1.91733cb6f350ep-26,
                   -0x1.221ff1fb70e82p-27, 0x1.cbc052dfec671p-28, 0x1.e531944742bdcp-27, 0x1.a7e9e1621d09ap-28,
                   -0x1.1157e4ded9f6p-27, -0x1.22b52f006f39dp-27, 0x1.20bbaf4bb01a3p-28, 0x1.fc490962a6089p-28,
                   -0x1.7de8e29df2abdp-29, -0x1.727bf4bb97bf8p-28, 0x1.269d8265f4a07p-29, 0x1.b48d6a1e9cfa2p-29,
                   -0x1.93d48b6f90336p-30, -0x1.79dbe5eedd34bp-30, 0x1.927944b73edd1p-31, 0x1.a02660bf77583p-32,
                   -0x1.ef5a4abe613d8p-33, -0x1.aed02b631ef2fp-35, 0x1.171a891a5de0fp-35);
    const V far = grown(a, u, p, 0x1.8ebe783a8403p-2, -0x1.51ea19a329a24p-58);
    return with_sign(where(a < V(8), fma(h, f.high, h * f.low), far), x);
  }
}

}  // namespace weft::math
