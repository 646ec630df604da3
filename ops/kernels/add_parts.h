// Sums that were computed in parts.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../tensor/parallel.h"

namespace weft {

/// to[i] += parts[k][i] for k in order; parts [count, size]. On several threads where that pays: they change no bit.
template <class T> void add_parts(const T* parts, std::int64_t count, std::int64_t size, T* to) {
  constexpr std::int64_t task = 4096;
  parallel_for((size + task - 1) / task, count * size < 1 << 16 ? 1 : num_threads(), [&](std::int64_t t) {
    for (std::int64_t k = 0; k < count; ++k)
      for (std::int64_t i = t * task; i < std::min(size, (t + 1) * task); ++i) to[i] += parts[k * size + i];
  });
}

}  // namespace weft
