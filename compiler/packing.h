// Packed weights: kernels that want a weight in an order of their own bring it there at each call, or find it so.
#pragma once

#include <span>

#include "../ops/graph.h"

namespace weft {

/// A convolution of a weight that is made of constants and variables alone, none of which the step writes, becomes two nodes: the
/// first, which packs the weight, is then a kept value (kept.h). The bits are the same. Inputs and outputs as
/// keep_values has them.
Graph pack_weights(const Graph& graph, std::size_t args, std::span<const std::size_t> written);

}  // namespace weft
