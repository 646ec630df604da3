// Checks of indices that have to come before variables are overwritten.
#pragma once

#include <vector>

#include "../ops/graph.h"

namespace weft {

/// A scatter that computes a variable's new value (`late`, by value) may throw for an index, so no other variable could
/// be overwritten in place before it. Its indices become a node of their own, scatter_indices, which runs before the
/// first late one. For steps that write several variables, as caches of keys and values are. The bits are the same.
Graph check_early(const Graph& graph, const std::vector<bool>& late);

/// False for a scatter that check_early has seen.
bool may_throw(const Graph& graph, const Graph::Node& node);

/// It may throw when a part of its result is written: but for scatters, which look at all indices first.
bool may_throw_halfway(const Graph& graph, const Graph::Node& node);

}  // namespace weft
