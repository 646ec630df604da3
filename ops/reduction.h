// The kinds of reduction, shared by the ops, their eager loops and the compiler.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft {

/// combine(a, b): sum a + b; prod a * b; max a > b || a != a ? a : b; min a < b || a != a ? a : b; any |; all &.
/// identity: 0, 1, the lowest value (-inf), the highest (+inf), false, true.
enum class Reduction : std::uint8_t { sum, prod, max, min, any, all };

constexpr std::string_view name_of(Reduction r) {
  constexpr std::string_view names[] = {"sum", "prod", "max", "min", "any", "all"};
  return names[static_cast<int>(r)];
}

/// A row is reduced in blocks of so many elements, each in so many partials, columns in blocks of so many rows:
/// kernels/reduce.h says in which order. All that reduces follows it, so that bits do not depend on who does.
inline constexpr std::int64_t row_block = 4096, row_partials = 16, column_block = 256;

}  // namespace weft
