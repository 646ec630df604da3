// A node whose outputs have the types that its op infers.
#pragma once

#include <span>

#include "graph.h"

namespace weft {

/// Graph::add of an op with a fixed number of outputs (Op::outputs), their types inferred; the first of them.
ValueId add_inferred(Graph& graph, const Op& op, const Attrs& attrs, std::span<const ValueId> in, const Origin& site);

}  // namespace weft
