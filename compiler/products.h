// Matrix products among the steps.
#pragma once

#include "../ops/kernels/matmul_plan.h"
#include "steps.h"

namespace weft {

/// The node, if the step is a matrix product; else null.
const Graph::Node* product(const Graph& graph, const Step& step);

/// Its extents and strides; it is of two axes.
MatmulShape product_shape(const Graph& graph, const NodeStep& step);

/// Where operand k (0 or 1) begins.
const std::byte* product_operand(const Graph& graph, const NodeStep& step, std::size_t k, std::byte* const* slots);

}  // namespace weft
