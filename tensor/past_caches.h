// Results that do not fit in the caches.
#pragma once

#include <cstdint>

namespace weft {

/// So many bytes do not: an eager output so large, what a copy of so much writes, and the outputs of a compiled launch
/// that moves so much are stored around them.
inline constexpr std::int64_t past_caches = 32 << 20;

}  // namespace weft
