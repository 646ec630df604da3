// Shifts of integers by integers: in steps of 1, 2, 4 and so on, of which each is taken or not.
#pragma once

#include <type_traits>

#include "core.h"

namespace weft::math {

namespace detail {

template <class V> inline constexpr int width = static_cast<int>(8 * sizeof(Element<V>));

template <int by, class V> [[gnu::always_inline]] inline V shifted_left(V x, V n) {
  const V r = where((n & V(by)) != V(0), shl<by>(x), x);
  if constexpr (2 * by < width<V>)
    return shifted_left<2 * by>(r, n);
  else
    return r;
}
template <int by, class V> [[gnu::always_inline]] inline V moved_right(V x) {
  if constexpr (std::is_signed_v<Element<V>>)
    return sar<by>(x);
  else
    return shr<by>(x);
}
template <int by, class V> [[gnu::always_inline]] inline V shifted_right(V x, V n) {
  const V r = where((n & V(by)) != V(0), moved_right<by>(x), x);
  if constexpr (2 * by < width<V>)
    return shifted_right<2 * by>(r, n);
  else
    return r;
}
template <class V> [[gnu::always_inline]] inline Mask<V> inside(V n) { return (n >= V(0)) & (n < V(width<V>)); }

}  // namespace detail

/// x 2^n, without the bits that leave; 0 where n is no distance within x's width.
template <class V> [[gnu::always_inline]] inline V left_shift(V x, V n) {
  return where(detail::inside(n), detail::shifted_left<1>(x, n), V(0));
}

/// floor(x / 2^n); where n is no distance within x's width 0, or -1 for x < 0.
template <class V> [[gnu::always_inline]] inline V right_shift(V x, V n) {
  V all = V(0);
  if constexpr (std::is_signed_v<Element<V>>) all = sar<detail::width<V> - 1>(x);
  return where(detail::inside(n), detail::shifted_right<1>(x, n), all);
}

}  // namespace weft::math
