// The loops of the pools over one image, channels last, for each instruction set.
#pragma once

#include <cstdint>

#include "../../tensor/dtype.h"
#include "../../tensor/isa.h"

namespace weft {

/// A window along one axis: elements begin, begin + step, ..., none of them padding.
struct PoolSpan {
  std::int64_t begin, count;
};

struct PoolImage {
  struct Axis {
    std::int64_t in = 1, out = 1, step = 1;
    const PoolSpan* spans;  // `out` of them
  };
  Axis axes[3];
  std::int64_t channels;        // from one element to the next
  std::int64_t first, last;     // the channels that this call is for
  std::int64_t divisor;         // of a mean; 0: how many elements the window has
  std::int64_t whole;           // elements of a window without padding, ...
  const std::int64_t* offsets;  // ... and where they lie after the first; 0 of adaptive pools and of huge windows
  bool parts;                   // each element is in exactly one window: results are written, not added to zeros
};

/// `by` and x are images of inputs, y is one of results.
struct PoolLoops {
  using Pick = void (*)(const PoolImage&, const void* by, const void* x, void* y);
  using Put = void (*)(const PoolImage&, const void* by, const void* y, void* x);
  using Mean = void (*)(const PoolImage&, const void* x, void* y);
  using Spread = void (*)(const PoolImage&, const void* y, void* x);
  Pick pick[8] = {};      // by dtype: numbers but f16
  Put put[8] = {};        // bf16 only of parts: what is added to would be rounded each time
  Mean mean[8] = {};      // f32, f64, bf16
  Spread spread[8] = {};  // as put
};
const PoolLoops* pool_loops_base();
const PoolLoops* pool_loops_avx2();
const PoolLoops* pool_loops_avx512();

}  // namespace weft
