// The memory plan: one arena for all intermediates of an executable, laid out from their lifetimes.
#pragma once

#include <cstdint>
#include <vector>

namespace weft {

/// A buffer that steps first to last (both included) use.
struct PlannedBuffer {
  std::int64_t bytes;
  int first, last;
  std::int64_t offset = 0;  // the result: a multiple of 64
};

/// Sets the offsets so that buffers alive at the same step do not overlap; the bytes of the arena. Largest first, each
/// at the lowest place that is free for all of its life.
std::int64_t plan_memory(std::vector<PlannedBuffer>& buffers);

}  // namespace weft
