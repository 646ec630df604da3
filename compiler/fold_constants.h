#pragma once

#include <optional>

#include "../ops/graph.h"

namespace weft {

/// A pass: nodes whose operands are all scalar constants (or scalars broadcast) become constants: they are run now, by
/// the same kernels. An elementwise op on operands that are all broadcasts of scalars becomes the broadcast of the op on
/// scalars.
Graph fold_constants(const Graph& graph);

/// If v is one element repeated (a 0-d value broadcast), the 0-d value; v itself if it is 0-d.
std::optional<ValueId> scalar_source(const Graph& graph, ValueId v);

}  // namespace weft
