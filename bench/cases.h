// The Google Benchmark cases.
#pragma once

#include <vector>

#include "works.h"

namespace bench {

/// models/W1/eager, models/W1/compile, ...: each verified before it is timed.
void register_models(const std::vector<Work>& works, const std::vector<Mode>& modes);

/// system/...: what the machinery itself costs.
void register_system(int threads);

/// system/checkpoint_save and _load, system/batches: files and data.
void register_io();

/// threads/W3, ...: a compiled step on one thread and on `threads`, in turns. The counter `ratio` is one thread's time
/// over theirs.
void register_threads(int threads);

/// sweeps/...: what a step costs as the work grows, by batch and by depth; the last line fits time = factor x size.
void register_sweeps();

/// transforms/...: a compiled derivative made of transforms beside the same one written by hand. The counter `ratio` is
/// the first's time over the second's, both measured in turns.
void register_transforms();

/// profile/...: a step while a profiler looks on, and while none does. The counter `ratio` is the first's time over the
/// second's, both measured in turns.
void register_profile();

/// ops/...: each op of the table, its gradient too, against what the machine allows.
void register_ops(int threads);

/// library/...: matmuls and convolutions beside oneDNN asked directly. The counter `of_oneDNN` is its time over ours,
/// both measured in turns.
void register_library(int threads);

}  // namespace bench
