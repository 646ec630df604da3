// Sparse updates: the gradient of a gather is 0 but for the rows that were taken, so an update that consumes it is
// computed on these rows alone.
#pragma once

#include "../ops/graph.h"

namespace weft {

/// Where a gradient G = scatter_add(0, indices, u) along axis 0 of [V, ...] is read by pointwise ops only, up to values
/// that the graph returns, that are p - h(G), p + h(G) or where(G == 0, p, ...), or that are the sum of all elements of
/// a f(G) with f(0) = +0 (a norm), these values become
///
///     rows, slots = unique_rows(indices)          the distinct rows, and for each index the slot of its row
///     g = scatter_add(0[N, ...], slots, u)        G's rows: the same sums in the same order
///     set_rows(base, rows, f(g, rows of the other operands)), or sum_rows(rows, f(g, ...))
///
/// where `base` is what the other rows come to. Of p - h(G), with h of G and scalars alone, that is p less the number
/// h(0): p itself, in place and untouched, if it is +0; sub_scalar looks, so that a learning rate known only at run
/// time may be anything. Of where(G == 0, p, ...) it is p. Else (Adam's means decay in every row) it is f with 0 for G:
/// a loop over all rows that neither writes nor reads G. Same bits as before. Left alone are gradients with other
/// readers, those of more than V / 2 indices, and those in sums of which one such value is wanted before all are there.
Graph sparse_updates(const Graph& graph);

}  // namespace weft
