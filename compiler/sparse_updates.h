// Sparse updates: the gradient of a gather is 0 but for the rows that were taken, so an update that consumes it is
// computed on these rows alone.
#pragma once

#include "../ops/graph.h"

namespace weft {

/// Where a gradient G = scatter_add(0, indices, u) along axis 0 of [V, ...] is read by pointwise ops only, up to values
/// that the graph returns or that are p - h(G) or p + h(G), these values become
///
///     rows, slots = unique_rows(indices)          the distinct rows, and for each index the slot of its row
///     g = scatter_add(0[N, ...], slots, u)        G's rows: the same sums in the same order
///     set_rows(base, rows, f(g, rows of the other operands))
///
/// where `base` is what the other rows come to. Of p - h(G), with h of G and scalars alone, that is p less the number
/// h(0): p itself, in place and untouched, if it is +0; sub_scalar looks, so that a learning rate known only at run
/// time may be anything. Else (Adam's means decay in every row) it is f with 0 for G: a loop over all rows that neither
/// writes nor reads G. Same bits as before. Left alone are gradients with other readers (a norm) and those of more than
/// V / 2 indices.
Graph sparse_updates(const Graph& graph);

}  // namespace weft
