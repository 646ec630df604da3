#pragma once

#include "../ops/graph.h"

namespace weft {

class PassLog;

/// All passes from graph to graph, in order; dead nodes are gone. A pass is pure, and a rewrite exact for ±0, ±inf, NaN
/// and subnormals. Verified after each one where verifies(). `log`: what each one made.
Graph simplify(const Graph& graph, PassLog* log = nullptr);

}  // namespace weft
