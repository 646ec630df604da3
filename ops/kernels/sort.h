// Sorting rows by integer keys.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "../op.h"

namespace weft {

/// Writes, for each of `rows` rows of n elements, the indices of those of ranks from to from + k in order: ascending or
/// descending, stable, NaNs last; k > 0. Short rows by std::sort, a few of a long row by selection, else radix sort; a
/// lone long row in two halves.
void sort_rows(DType dtype, const void* x, std::int64_t rows, std::int64_t n, std::int64_t from, std::int64_t k,
               bool descending, std::int64_t* out);

/// An unsigned integer of x's size (that of f32 at least) that orders as x does: -0 is 0, NaN the largest.
template <class T> constexpr auto order_key(T x) {
  if constexpr (std::is_same_v<T, double>) {
    const auto u = std::bit_cast<std::uint64_t>(x + 0.0);  // -0 + 0 is 0
    return x != x ? UINT64_MAX : u >> 63 ? ~u : u | std::uint64_t{1} << 63;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return static_cast<std::uint64_t>(x) ^ std::uint64_t{1} << 63;
  } else if constexpr (std::is_integral_v<T>) {  // i32, u8, bool
    return static_cast<std::uint32_t>(x) ^ (std::is_signed_v<T> ? 0x80000000u : 0u);
  } else {  // f32, and what fits into it
    const float f = static_cast<float>(x);
    const auto u = std::bit_cast<std::uint32_t>(f + 0.0f);
    return f != f ? UINT32_MAX : u >> 31 ? ~u : u | 0x80000000u;
  }
}

}  // namespace weft
