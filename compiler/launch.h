// Running a Launch: pieces for threads, partial results of blocks, and the call of the kernel itself.
#pragma once

#include <vector>

#include "lower.h"

namespace weft {

/// One loop, or several that are independent and pointwise over a row of columns (as the update of every parameter).
struct LaunchStep {
  std::vector<Launch> segments;
};

/// The kernel by its code, or interpreted where there is none.
void call_kernel(const Kernel& kernel, KernelFunction function, const KernelCall& call);

/// `slots`: the buffer of each value.
void run_launch(const LaunchStep& step, std::byte* const* slots);

/// Runs, on the calling thread, rows [begin, end) of a launch that is cut by rows, columns of one that is cut by
/// columns.
void run_launch_part(const Launch& launch, std::byte* const* slots, std::int64_t begin, std::int64_t end);

}  // namespace weft
