// digamma. An f32 is computed in f64.
#pragma once

#include "log.h"
#include "two.h"

namespace weft::math {

namespace detail {

/// digamma(y + y_low) for y >= 1, as a sum of two.
template <class D> [[gnu::always_inline]] inline Two<D> digamma_from_one(D y, D y_low) {
  const D inverse = D(1) / y, u = inverse * inverse;
  // Below 4: (y - root) g((y - 2) / (y + 2)), the root a sum of two. tools/fit.py digamma: error 2^-54.7
  const D v = (y - D(2)) / (y + D(2));
  const D inner = polynomial(
      v, -0x1.0aff270ca07a7p0, 0x1.66ef16c22f17ap-1, -0x1.73d3b55106797p-1, 0x1.5b02757a4af61p-1, -0x1.63dfe91724b2p-1,
      0x1.5b84ca138c92dp-1, -0x1.60c6f09b7033p-1, 0x1.5c82152eef6bfp-1, -0x1.5fc4032b6cd92p-1, 0x1.5d1b80c1823eap-1,
      -0x1.5f4906ebcfbf4p-1, 0x1.5d753042e85f1p-1, -0x1.5f02a94d88461p-1, 0x1.5da82225db811p-1, -0x1.5ed197a2590c4p-1,
      0x1.5e1bf0dfb51abp-1, -0x1.5f02f44396c9dp-1, 0x1.5a603e3c443e9p-1, -0x1.5b17e425e08d7p-1, 0x1.7a63cde15c3dap-1,
      -0x1.7b0151f7b02f1p-1, 0x1.9d650ade64607p-2, -0x1.9e1b5951bfeecp-2, 0x1.742f869f768d8p0, -0x1.74949c1d18772p0);
  const auto g = last_step(v, inner, 0x1.9213d46736ba4p-1, -0x1.c752a29f275d4p-56);
  constexpr double root = 0x1.762d86356be3fp0, root_low = 0x1.b86a722197829p-54;
  const D d = y - D(root), d_low = ((y - d) - D(root)) - D(root_low);
  const auto near = two_product(d, g.high);
  const D near_low = fma(d, g.low, fma(d_low, g.high, near.low));
  // log(y) - 1/(2y) - u p(u), u = 1/y^2. tools/fit.py digamma_far: error 2^-58.9
  const D p = polynomial(u, 0x1.5555555555553p-4, -0x1.1111111101245p-7, 0x1.041040c176a8ep-8, -0x1.1110da6023195p-8,
                         0x1.f064f28ef252cp-8, -0x1.582438d9893bdp-6, 0x1.46cd896d2670ep-4, -0x1.6520e90d4b86dp-2,
                         0x1.5152ac74ccd7ep0, -0x1.61b20cb604f86p1);
  const auto [e, f] = reduce_log(y);
  const auto log = log_parts(e, f);
  const D far_low = log.low - fma(u, p, D(0.5) * inverse);
  // Its slope, nearly, for y_low.
  const D slope = fma(u, fma(inverse, D(1. / 6), D(0.5)), inverse);
  const auto below = y < D(4);
  return {where(below, near.high, log.high), fma(y_low, slope, where(below, near_low, far_low))};
}

/// pi cot(pi t) for |t| <= 1/2, in f64, as a sum of two.
template <class D> [[gnu::always_inline]] inline Two<D> cot_of_turns(D t, Two<D> inverse) {
  // Up to 1/4 1/t + t c(t^2). tools/fit.py cot: error 2^-57.5
  const D z = t * t;
  const auto near =
      ordered_sum(inverse.high, t * polynomial(z, -0x1.a51a6625307d3p1, -0x1.151322ac7d848p1, -0x1.0470984c093f2p1,
                                               -0x1.010b36af6c1dap1, -0x1.00412e40a6f2ap1, -0x1.00101ce011329p1,
                                               -0x1.0004b1bc29ec2p1, -0x1.ffd9d03033c3dp0, -0x1.017b0a3428b8ap1,
                                               -0x1.ddcf0b3f11c1p0, -0x1.6c0b6256e1df3p1));
  // Beyond: pi tan(pi v) = v q(v^2). tools/fit.py tan: error 2^-57.0
  const D v = D(0.5) - abs(t), y = v * v;
  const D inner = polynomial(y, 0x1.03c1f081b5acdp5, 0x1.005ed5ead83cep7, 0x1.000a2b793c882p9, 0x1.00011dcc368a2p11,
                             0x1.0000243e75a79p13, 0x1.ffff084493b6ap14, 0x1.0009799e065cp17, 0x1.feffbeac0d855p18,
                             0x1.04e5480dc1527p21, 0x1.ba44f41cec42fp22, 0x1.b3f275dcb6576p25, -0x1.949f8ffceec54p27,
                             0x1.de30effc60866p31, -0x1.26457ffdc53cfp34, 0x1.26457ffdc53d2p36);
  const auto q = last_step(y, inner, 0x1.3bd3cc9be45dep3, 0x1.64925b3675ab5p-51);
  const auto far = two_product(where(t < D(0), -v, v), q.high);
  const auto small = abs(t) <= D(0.25);
  return {where(small, near.high, far.high),
          where(small, near.low + inverse.low, fma(where(t < D(0), -v, v), q.low, far.low))};
}

}  // namespace detail

/// The derivative of lgamma; -inf at 0, inf at -0, NaN at -1, -2, ... Within 2 ulp, but where x < 0 and the result is
/// small beside its parts.
template <class V> [[gnu::always_inline]] inline V digamma(V x) {
  using namespace detail;
  if constexpr (is_f32<V>) {
    return convert<V>(digamma(convert<Rebind<V, double>>(x)));
  } else {
    // digamma(a) = digamma(1 + a) - 1/a, digamma(-a) = digamma(1 + a) + pi cot(pi a).
    const V a = abs(x), turns = a - nearest(a);
    const auto negative = x < V(0), shifted = negative | (a < V(1));
    const V y = where(shifted, a + V(1), a);
    const V y_low = where(shifted, where(a < V(1), a - (y - V(1)), V(1) - (y - a)), V(0));
    const auto base = digamma_from_one(y, y_low);
    const V t = where(negative, turns, -a), inverse = V(1) / t;
    const auto finite = abs(inverse) < V(infinity<V>);
    const Two<V> reciprocal{inverse, where(finite, fma(-inverse, t, V(1)) * inverse, V(0))};
    const auto cotangent = cot_of_turns(turns, reciprocal);
    const V term = where(negative, cotangent.high, where(a < V(1), inverse, V(0)));
    const V term_low = where(negative, cotangent.low, where(a < V(1), reciprocal.low, V(0)));
    const auto sum = two_sum(base.high, term);
    const V whole = where(abs(sum.high) < V(infinity<V>), sum.high + (sum.low + (base.low + term_low)), sum.high);
    const V limit = where(a == V(infinity<V>), x, whole);
    const V result = where(negative & ((turns == V(0)) | (a == V(infinity<V>))), V(not_a_number<V>), limit);
    return where(x == V(0), with_sign(V(infinity<V>), -x), result);
  }
}

}  // namespace weft::math
