// Transpositions of what an op could have computed transposed.
#pragma once

#include "../ops/graph.h"

namespace weft {

/// Where a node's outputs are all transposed alike, the node computes them so, if its op knows how (Op::transposed):
/// (a b)^T is b^T a^T, and attention writes its heads side by side. Others that read an output see it turned back,
/// which copies nothing: only where the last axis stays. Exact.
Graph absorb_transposes(const Graph& graph);

}  // namespace weft
