#include "memory_plan.h"

#include <algorithm>
#include <numeric>

namespace weft {

std::int64_t plan_memory(std::vector<PlannedBuffer>& buffers) {
  const auto padded = [](std::int64_t bytes) { return (bytes + 63) / 64 * 64; };
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  std::vector<std::size_t> placed;  // by offset
  std::int64_t total = 0;
  for (const std::size_t i : order) {
    PlannedBuffer& b = buffers[i];
    b.offset = 0;
    for (const std::size_t j : placed) {
      const PlannedBuffer& other = buffers[j];
      if (other.last < b.first || b.last < other.first) continue;
      if (other.offset >= b.offset + padded(b.bytes)) break;
      b.offset = std::max(b.offset, other.offset + padded(other.bytes));
    }
    placed.insert(std::upper_bound(placed.begin(), placed.end(), b.offset,
                                   [&](std::int64_t o, std::size_t j) { return o < buffers[j].offset; }),
                  i);
    total = std::max(total, b.offset + padded(b.bytes));
  }
  return total;
}

}  // namespace weft
