// Products of few terms: fused with what is around them, not calls of a kernel.
#pragma once

#include "../ops/graph.h"

namespace weft {

/// A matrix product of f32 or f64 whose sums have at most four terms, as the first layer of a network of coordinates or
/// the gradient before a layer of one output, becomes that many elementwise multiply_adds of a column and a row: the
/// same fma's in the same order, from 0, so the same bits. No call of a kernel, and no pass over its result: what
/// follows is in the same loop.
Graph spell_out_products(const Graph& graph);

}  // namespace weft
