// Transpositions of what an op could have computed transposed.
#pragma once

#include "../ops/graph.h"

namespace weft {

/// Where all that is made of a node's outputs is one and the same transposition of them, the node computes them so, if
/// its op knows how (Op::transposed): (a b)^T is b^T a^T, and attention writes its heads side by side. Exact.
Graph absorb_transposes(const Graph& graph);

}  // namespace weft
