// Checks of what each stage of compiling made: a mistake is found where it was made, not in a wrong result.
#pragma once

#include <vector>

#include "groups.h"
#include "memory_plan.h"

namespace weft {

/// Whether stages are checked: in debug builds, and with WEFT_VERIFY=1, as all tests run.
bool verifies();

/// ArgumentError unless every node that computes is in one group, once, and groups run after those that they need.
/// Graph::verify() is the check of a pass.
void verify(const Graph& graph, const Grouping& grouping);

/// ArgumentError unless buffers alive at the same step lie apart, aligned, within the arena.
void verify(const std::vector<PlannedBuffer>& buffers, std::int64_t arena_bytes);

}  // namespace weft
