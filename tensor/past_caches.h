// Operands and results that do not fit in the caches.
#pragma once

#include <cstdint>

namespace weft {

/// So many bytes do not: an eager output so large, what a copy of so much writes, and the outputs of a compiled launch
/// that moves so much are stored around them.
inline constexpr std::int64_t past_caches = 32 << 20;

/// So many bytes before they are wanted, a page, such operands are fetched: the CPU's own prefetchers begin anew at
/// each page, and its window ends before the next vectors' loads where there is much to compute between.
inline constexpr std::int64_t fetched_ahead = 4096;

}  // namespace weft
