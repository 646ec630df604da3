// Concats that cost nothing: what computes the parts stores them where they end up.
#pragma once

#include "lower.h"

namespace weft {

/// Places the parts of a concat in its result, if fused loops compute all of them and nothing else needs one. By node:
/// whether that is so, and it need not run.
std::vector<bool> join_in_place(const Graph& graph, const Grouping& grouping, Places& places);

}  // namespace weft
