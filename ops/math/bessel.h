// The modified Bessel functions i0 and i1. An f32 is computed in f64.
#pragma once

#include "exp.h"

namespace weft::math {

namespace detail {

/// e^b / sqrt(b) q, b >= 8.
template <class D> [[gnu::always_inline]] inline D grown(D b, D q) {
  const auto reduced = reduce_exp(b);
  return scalb(exp_reduced(reduced.r()) * (q / sqrt(b)), reduced.n);
}

}  // namespace detail

template <class V> [[gnu::always_inline]] inline V i0(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(i0(convert<Rebind<V, double>>(x)));
  } else {
    const V a = at_most(abs(x), 720), z = V(0.25) * a * a, t = V(1) / a;  // beyond that it is inf
    // From its series in z = x^2/4: fpminimax(.., 17, [|D...|], [0;16], relative); error 2^-65
    const V near =
        polynomial(z, 0x1p0, 0x1p0, 0x1p-2, 0x1.c71c71c71c71cp-6, 0x1.c71c71c71c733p-10, 0x1.23456789abb02p-14,
                   0x1.02e85c089b7a9p-19, 0x1.522a43f60147ep-25, 0x1.522a43fcf845fp-31, 0x1.0b31322a3dc86p-37,
                   0x1.56019017d37f7p-44, 0x1.69ca28cde5dedp-51, 0x1.419c9857454f3p-58, 0x1.e6d8d84c581dep-66,
                   0x1.3fb7ed0118ab4p-73, 0x1.5f7697c9fe5dep-81, 0x1.8c50b3c24aap-89, 0x1.47b713046f0a4p-97);
    // With t = 1/x, from Chebyshev interpolation in 45 points: fpminimax(i0(x)*exp(-x)*sqrt(x), 22, [|D...|],
    // [1/760;1/7.95], relative); error 2^-54.8
    const V q = polynomial(t, 0x1.9884533d43649p-2, 0x1.9884533d5aca3p-5, 0x1.cb94dd37b801fp-6, 0x1.debb9331b5043p-6,
                           0x1.6e5abdecd08b8p-5, 0x1.7c6fff2b5c966p-4, 0x1.4e23b2bc05835p-4, 0x1.43d57a1b611a2p2,
                           0x1.0e600d646db6p7, -0x1.5cb98b8844e0bp14, 0x1.41b8fc14b694cp20, -0x1.7e83e5396cc5p25,
                           0x1.48548862589dap30, -0x1.a850c89042afap34, 0x1.a4584fc996db1p38, -0x1.4123f035af0b9p42,
                           0x1.79944d22b692dp45, -0x1.52369757f2271p48, 0x1.c4d49b7c51021p50, -0x1.b673031a0e44dp52,
                           0x1.21e0a7040007ap54, -0x1.d454a701c7524p54, 0x1.5cbdd767b6dep54);
    return where(a < V(8), near, grown(a, q));
  }
}

template <class V> [[gnu::always_inline]] inline V i1(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(i1(convert<Rebind<V, double>>(x)));
  } else {
    // As i0, of i1(x) / (x/2) and of i1(x)*exp(-x)*sqrt(x); errors 2^-63 and 2^-54.8.
    const V a = at_most(abs(x), 720), z = V(0.25) * a * a, t = V(1) / a;
    const V near = V(0.5) * a *
                   polynomial(z, 0x1p0, 0x1p-1, 0x1.5555555555555p-4, 0x1.c71c71c71c733p-8, 0x1.6c16c16c169abp-12,
                              0x1.845c8a0ce9a9p-17, 0x1.27e4fb7732924p-22, 0x1.522a43ff1b8dap-28, 0x1.2c97583bd5f32p-34,
                              0x1.ab81fac9a6e4dp-41, 0x1.f1755c3c94966p-48, 0x1.e275204324f9bp-55,
                              0x1.8b13f222ba106p-62, 0x1.1bf8de7c1ac9ap-69, 0x1.164dbbab9d018p-77,
                              0x1.940b4ea40631cp-84, -0x1.960527d25208bp-91, 0x1.0a142e070f13cp-97);
    const V q = polynomial(t, 0x1.9884533d43658p-2, -0x1.32633e6df8466p-3, -0x1.7efc0dd489414p-5, -0x1.4f1cca0d5428ep-5,
                           -0x1.d716db3438a82p-5, -0x1.cdd69423e8048p-4, -0x1.3a90e5cbe886dp-3, -0x1.4ede2907a60d7p1,
                           -0x1.25308562968ffp8, 0x1.d02ecfeea6d16p14, -0x1.82f7b72b3a906p20, 0x1.b819f09d6c3acp25,
                           -0x1.7058863ac872dp30, 0x1.d4455f7dc717ap34, -0x1.ca83b962302b8p38, 0x1.5b3eea0075e0ap42,
                           -0x1.9579b111614cdp45, 0x1.692eb8531e7c1p48, -0x1.e15907a950b95p50, 0x1.d03afd3a4a249p52,
                           -0x1.31e196274d1e1p54, 0x1.ecb7a5a092d77p54, -0x1.6def2a51fb76bp54);
    return with_sign(where(a < V(8), near, grown(a, q)), x);
  }
}

}  // namespace weft::math
