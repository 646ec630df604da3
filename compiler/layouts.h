// Layouts: convolutions and pools compute with their channels last; a model written with channels first turns each
// one's operands and result. Of such turns those in between cancel.
#pragma once

#include "../ops/graph.h"

namespace weft {

/// An elementwise op on what was turned to channels first is done before the turn: so the turn meets the next
/// convolution's, and both are nothing. Results of the graph, and what only those are computed from, stay as they
/// are. Exact: no arithmetic changes.
Graph turn_late(const Graph& graph);

}  // namespace weft
