// x as q pi/2 + r, for any finite x of f64: the reduction of sin, cos and tan.
#pragma once

#include <utility>

#include "core.h"

namespace weft::math::detail {

/// |r + r_low| <= pi/4, r_low its part below r's last bit; only the two low bits of q count.
template <class V> struct Quadrant {
  V r, r_low;
  Int<V> q;
};

/// A sum that starts at a number larger than what is added to it, and so keeps to a grid.
template <class V> struct Grid {
  V sum;
  /// Exactly what the sum did not take.
  [[gnu::always_inline]] V add(V v) {
    const V next = sum + v, lost = v - (next - sum);
    sum = next;
    return lost;
  }
};

template <class V, int n> struct Words { V of[n]; };
/// The words from `step` on where the mask holds, the first ones elsewhere.
template <int step, class M, class V, int n, int... i>
[[gnu::always_inline]] inline Words<V, sizeof...(i)> pick(M m, const Words<V, n>& a, std::integer_sequence<int, i...>) {
  const auto one = [&]<int k>(std::integral_constant<int, k>) __attribute__((always_inline)) {
    if constexpr (k + step < n)
      return where(m, a.of[k + step], a.of[k]);
    else
      return a.of[k];
  };
  return {{one(std::integral_constant<int, i>{})...}};
}

/// For any x (Payne and Hanek's reduction). Turns are x/(2 pi), and whole turns do not matter: of 1/(2 pi), cut
/// into words of 53 bits, a large x needs only five from word k on, and is x = y 2^(53 k), y < 2^106. There are no
/// gathers, so the words are shifted down by 16, 8, 4, 2 and 1 places.
template <class D> [[gnu::always_inline]] inline Quadrant<D> reduce_quadrant(D x) {
  // x = 1/(2*pi); per word: x = x*2^53; c = floor(x); x = x-c; c*2^-53
  const Words<D, 23> all = {
      {D(0x1.45f306dc9c88p-3),  D(0x1.529fc2757d1f5p-1), D(0x1.a6ee06db14accp-3), D(0x1.3c439041fe514p-3),
       D(0x1.1d5ef5de2b0dbp-1), D(0x1.246e3a424dd2ep-1), D(0x1.924bba82746p-10),  D(0x1.21cfe1deb1cbp-3),
       D(0x1.29a73ee88235ep-2), D(0x1.52ebb4484e99cp-1), D(0x1.c09ad17df904ep-2), D(0x1.91d639835339cp-3),
       D(0x1.a4e422fc5defcp-1), D(0x1.283b1ff897ffdp-1), D(0x1.c0b301fde5e23p-1), D(0x1.6b414da3eda68p-4),
       D(0x1.3f6793e584dbap-1), D(0x1.e8c7ecd3cbfd4p-2), D(0x1.6ba93dd63f5fp-3),  D(0x1.7c5ecf41ce7dep-1),
       D(0x1.4a525d4d7f6bcp-3), D(0x1.b11f8d5d0856p-1),  D(0x1.98237e3db5d5cp-3)}};
  D y = x;
  const auto above = [&](double limit, double factor) __attribute__((always_inline)) {
    const auto m = abs(y) >= D(limit);
    y = where(m, y * D(factor), y);
    return m;
  };
  const auto by16 = pick<16>(above(0x1p901, 0x1p-848), all, std::make_integer_sequence<int, 20>{});
  const auto by8 = pick<8>(above(0x1p477, 0x1p-424), by16, std::make_integer_sequence<int, 12>{});
  const auto by4 = pick<4>(above(0x1p265, 0x1p-212), by8, std::make_integer_sequence<int, 8>{});
  const auto by2 = pick<2>(above(0x1p159, 0x1p-106), by4, std::make_integer_sequence<int, 6>{});
  const auto c = pick<1>(above(0x1p106, 0x1p-53), by2, std::make_integer_sequence<int, 5>{});

  // The five products, each with its rounding error, without whole turns.
  const D y1 = y * D(0x1p-53), y2 = y * D(0x1p-106), y3 = y * D(0x1p-159), y4 = y * D(0x1p-212);
  const D p0 = y * c.of[0], p1 = y1 * c.of[1], p2 = y2 * c.of[2], p3 = y3 * c.of[3], p4 = y4 * c.of[4];
  const D e0 = fma(y, c.of[0], -p0), e1 = fma(y1, c.of[1], -p1), e2 = fma(y2, c.of[2], -p2), e3 = fma(y3, c.of[3], -p3);
  // Their sum; it may cancel down to 2^-62, so what an addition loses is kept and added at a finer grid.
  Grid<D> coarse{D(6)}, fine{D(0x1.8p-46)};
  const D l0 = coarse.add(p0 - nearest(p0)), l1 = coarse.add(e0 - nearest(e0)), l2 = coarse.add(p1 - nearest(p1));
  const D l3 = coarse.add(e1), l4 = coarse.add(p2);
  const D m0 = fine.add(l0), m1 = fine.add(l1), m2 = fine.add(l2), m3 = fine.add(l3), m4 = fine.add(l4);
  const D m5 = fine.add(e2), m6 = fine.add(p3), rest = (((m0 + m1) + (m2 + m3)) + ((m4 + m5) + (m6 + e3))) + p4;
  // Quadrants, and their fraction times pi/2, both as sums of two.
  const D four = D(4), quadrants = four * (coarse.sum - D(6)), shift = D(rounder<D>), q = quadrants + shift;
  const D whole = quadrants - (q - shift), part = four * (fine.sum - D(0x1.8p-46)), f = whole + part, back = f - whole;
  const D f_low = fma(four, rest, (whole - (f - back)) + (part - back));
  constexpr double high = 0x1.921fb54442d18p0, low = 0x1.1a62633145c07p-54;
  const D r = f * D(high), r_low = fma(f, D(high), -r) + fma(f, D(low), f_low * D(high));
  // A small x is its own remainder (tiny ones underflow above); its q is 0 in any case.
  const auto small = abs(x) < D(0.78);
  return {where(small, x, r), where(small, D(0), r_low), bits(q)};
}

}  // namespace weft::math::detail
