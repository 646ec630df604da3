// Spaces: over which axes the loops of a graph run. A reshape is no reason for two loops: shapes of as many elements
// are cut where any of them is, [32, 64, 1024] and [32, 8, 8192] both to [32, 8, 8, 1024].
#pragma once

#include <optional>
#include <vector>

#include "access.h"

namespace weft {

/// The access by the axes of `space`, into which its own are cut; none if they can't be. Extents of 1 do not count.
std::optional<Access> cut_to(const Access& a, const Shape& space);
bool cuts_to(const Shape& shape, const Shape& space);

/// By node, over which axes its loop runs: those of its result, or of what it reduces. Empty for what is in no loop.
std::vector<Shape> loop_spaces(const Graph& graph);

}  // namespace weft
