// Loops over an axis that carry what has come so far.
#pragma once

#include "../op.h"

namespace weft {

/// [outer, n, inner], of which the middle axis is walked, from its end if `reverse`.
struct CumulativeShape {
  std::int64_t outer, n, inner;
  bool reverse;
};

/// y[t] = x[0] + ... + x[t] (or times): blocks of 1024 along the axis, each from its own first element on; to each of
/// its results is added what the blocks before it came to, in order. 16-bit floats are added in f32, rounded once.
void run_cumsum(DType dtype, const CumulativeShape& s, const void* x, void* y);
void run_cumprod(DType dtype, const CumulativeShape& s, const void* x, void* y);
/// y[t] = a[t] * y[t - 1] + b[t]
void run_recurrence(DType dtype, const CumulativeShape& s, const void* a, const void* b, void* y);
/// The index of the largest (smallest) so far.
void run_cumargmax(DType dtype, const CumulativeShape& s, const void* x, std::int64_t* y);
void run_cumargmin(DType dtype, const CumulativeShape& s, const void* x, std::int64_t* y);

}  // namespace weft
