// Recomputation: a loop that reads what another one stores computes it again where that costs less than the bytes.
#pragma once

#include <vector>

#include "groups.h"

namespace weft {

/// Fills Group::again. A node's value is computed again by all groups that read it, or by none: then it is not stored
/// at all, unless it is an output. `late`: values whose groups overwrite variables; these compute nothing again, lest
/// they read what is overwritten.
void choose_recomputed(const Graph& graph, Grouping& grouping, const std::vector<bool>& late);

/// By value: true for a buffer that has to be in memory once the group that computes it has run.
std::vector<bool> stored_values(const Graph& graph, const Grouping& grouping);

}  // namespace weft
