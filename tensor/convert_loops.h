// Conversions of contiguous elements, a set of loops for each instruction set.
#pragma once

#include <cstdint>

namespace weft::detail {

/// to[i] = from[i] as convert_element() has it (a NaN of another payload is as good), by the types of both; null for a
/// type and itself. The two do not overlap.
struct ConvertLoops {
  using Loop = void (*)(const void* from, void* to, std::int64_t n);
  Loop by_types[8][8] = {};
};
const ConvertLoops* convert_loops_base();
const ConvertLoops* convert_loops_avx2();
const ConvertLoops* convert_loops_avx512();

}  // namespace weft::detail
