// Uniform random numbers: Philox4x32-10 (tensor/philox.h) in vectors, a block in each lane.
#pragma once

#include <cstdint>

namespace weft {

/// Numbers in [0, 1) of the blocks (0, first), (0, first + 1), ...: of four words each, of f32 four numbers, of f64
/// two. They write as many of `blocks` as fill whole vectors, and return their number; the rest is the caller's.
struct UniformLoops {
  std::int64_t (*f32)(std::uint64_t key, std::uint64_t first, std::int64_t blocks, float* out);
  std::int64_t (*f64)(std::uint64_t key, std::uint64_t first, std::int64_t blocks, double* out);
};
const UniformLoops* uniform_loops_base();
const UniformLoops* uniform_loops_avx2();
const UniformLoops* uniform_loops_avx512();

}  // namespace weft
