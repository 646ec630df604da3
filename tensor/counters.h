// What all threads have allocated. Each thread counts for itself: an atomic addition costs 5 ns, and an eager op on ten
// elements would make eight of them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::detail {

struct Counts {
  std::int64_t tensors, blocks, allocations, bytes, peak_bytes;
};
/// The sums over all threads. The peak is exact for one thread; of several at work each may add up to 64 KB to it.
Counts counts();
/// Sets the peak to the bytes that live.
void reset_peak();

void count_tensor(int change);                    // 1 or -1
void count_block(int change, std::size_t bytes);  // 1: one allocated; -1: one freed

}  // namespace weft::detail
