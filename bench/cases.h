// The Google Benchmark cases, and what surrounds them.
#pragma once

#include <vector>

#include "works.h"

namespace bench {

/// models/W1/eager, models/W1/compile, ...: each verified before it is timed.
void register_models(const std::vector<Work>& works, const std::vector<Mode>& modes);

/// system/...: what the machinery itself costs.
void register_system(int threads);

/// transforms/...: a compiled derivative made of transforms beside the same one written by hand. The counter `ratio` is
/// the first's time over the second's, both measured in turns.
void register_transforms();

/// ops/...: each op of the table, its gradient too, against what the machine allows.
void register_ops(int threads);

/// library/...: matmuls and convolutions beside oneDNN asked directly. The counter `of_oneDNN` is its time over ours,
/// both measured in turns.
void register_library(int threads);

/// CPU, instruction set, threads, load, versions, commit: to the context of the report.
void describe_machine(int threads);

/// What the machine allows: to the context too, for the cases of ops. Measures it.
void describe_roofline(int threads);

}  // namespace bench
