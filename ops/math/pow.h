// pow.
#pragma once

#include "exp.h"
#include "log.h"

namespace weft::math {

namespace detail {

/// log2 of a >= 0 as a sum of two; f64. `low` is NaN where `high` is not finite.
template <class D> struct TwoPart { D high, low; };

/// log2 of an f32, in f64, with an error of 2^-39: y log2 x <= 150 needs 2^-35 for f32's 24 bits.
template <class D, class V> [[gnu::always_inline]] inline D log2_of_f32(V a) {
  const auto reduced = reduce_log(a);
  const D e = convert<D>(reduced.e), f = convert<D>(reduced.f);
  // fpminimax(log2(1+x), [|1,...,14|], [|D...|], [-1/4;1/2], relative); error 2^-38.5
  const D p = polynomial(f, 0x1.71547652b7c2p0, -0x1.7154765404ecep-1, 0x1.ec709dcb8be18p-2, -0x1.715473b6951dep-2,
                         0x1.2776bd0aa9dbdp-2, -0x1.ec720c5c740ffp-3, 0x1.a61ce62ccda47p-3, -0x1.712f2f3227a6cp-3,
                         0x1.4786ab4113fb5p-3, -0x1.28717e21a373ep-3, 0x1.17bb3e960b827p-3, -0x1.039bf4b10b401p-3,
                         0x1.72e3aeaf48be4p-4, -0x1.088cd43d15c3fp-5);
  return fma(f, p, e);
}

/// log2 of an f64 with an error of 2^-65: y log2 x <= 1075 needs that for f64's 53 bits.
template <class D> [[gnu::always_inline]] inline TwoPart<D> log2_of_f64(D a) {
  const auto [e, f] = reduce_log(a);
  // s = f / (2 + f), so that log(1 + f) = 2 atanh(s).
  const D d = f + D(2), d_low = f - (d - D(2)), inverse = D(1) / d;
  const D s = f * inverse, s_low = fma(-s, d_low, fma(-s, d, f)) * inverse;
  const D z = s * s, z_low = fma(s + s, s_low, fma(s, s, -z));
  // atanh(s) = s + s z (1/3 + z w), 1/3 as a sum of two;
  // w: fpminimax((atanh(sqrt(x))/sqrt(x)-1-x/3)/x^2, 8, [|D...|], [1b-30;0.0401], absolute); error of z^2 w 2^-69.9
  const D w = polynomial(z, 0x1.999999999999ap-3, 0x1.24924924922a9p-3, 0x1.c71c71c772315p-4, 0x1.745d170f67422p-4,
                         0x1.3b13c3c38e1edp-4, 0x1.110d6a919a8c1p-4, 0x1.e2bad7a98a271p-5, 0x1.a0cdded76fdebp-5,
                         0x1.007d1e247a7d5p-4);
  constexpr double third = 0x1.5555555555555p-2;
  const D u = fma(z, w, D(third)), u_low = fma(z, w, D(third) - u) + D(0x1.5555555555555p-56);
  const D v = z * u, v_low = fma(z, u, -v) + fma(z, u_low, z_low * u);
  const D t = s * v, t_low = fma(s, v, -t) + fma(s, v_low, s_low * v);
  const D sum = s + t, sum_low = ((s - sum) + t) + (t_low + s_low);
  // Times 2 / ln 2, a sum of two as well; and plus e.
  constexpr double high = 0x1.71547652b82fep1, low = 0x1.777d0ffda0d24p-55;
  const D l = sum * D(high), l_low = fma(sum, D(high), -l) + fma(sum, D(low), sum_low * D(high));
  const D total = e + l;
  return {total, ((e - total) + l) + l_low};
}

/// |x|^y for numbers without a special rule.
template <class V> [[gnu::always_inline]] inline V pow_of_size(V a, V y) {
  if constexpr (is_f32<V>) {
    using D = Rebind<V, double>;
    const D t = at_least(at_most(convert<D>(y) * log2_of_f32<D>(a), 200), -200);
    const D shift = D(rounder<D>), n = (t + shift) - shift;
    return scaled_or_zero(exp2_reduced(convert<V>(t - n)), convert<V>(n));
  } else {
    const auto [l, l_low] = log2_of_f64(a);
    const V whole = y * l, t = at_least(at_most(whole, 1100), -1100);
    const V rest = where(abs(whole) < V(1100), fma(y, l, -whole) + y * l_low, V(0));
    const V shift = V(rounder<V>), n = (t + shift) - shift;
    return scaled_or_zero(exp2_reduced((t - n) + rest), n);
  }
}

}  // namespace detail

/// x^y with all special cases of C99. Of y = 1, 2 and 3 it is x, x * x and x * x * x to the bit, which is all that
/// compiled code computes where y is known to be that.
template <class V> [[gnu::always_inline]] inline V pow(V x, V y) {
  using namespace detail;
  const V a = abs(x);
  V size = pow_of_size(a, y);
  const auto whole = floor(y) == y, odd = whole & (floor(y * V(0.5)) != y * V(0.5));
  const V square = a * a;
  size = where(y == V(2), square, where(y == V(3), square * a, where(y == V(1), a, size)));
  // Also of a NaN; then a finite negative number to a power that is no integer.
  size = where((y == V(0)) | (a == V(1)), V(1), size);
  size = where((x < V(0)) & (a < V(infinity<V>)) & !whole, V(not_a_number<V>), size);
  return where(odd, with_sign(size, x), size);
}

}  // namespace weft::math
