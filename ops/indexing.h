// Ops that address by index tensors (i32 or i64). Indices in [-n, n); IndexError names the position of another.
#pragma once

#include "arg.h"

namespace weft {

/// Elements of x at `indices` along an axis: shape x[:axis] + indices.shape + x[axis+1:].
Tensor gather(const Arg& x, const Arg& indices, std::int64_t axis = 0);
/// x with `updates` added at `indices` along an axis, in index order; the same index twice adds twice.
/// updates has shape x[:axis] + indices.shape + x[axis+1:].
Tensor scatter_add(const Arg& x, const Arg& indices, const Arg& updates, std::int64_t axis = 0);
/// Rows of 0 with a 1 at each index: shape indices.shape + [depth]. IndexError for an index not in [0, depth).
Tensor one_hot(const Arg& indices, std::int64_t depth, DType dtype = f32);
/// `indices`, after a check that all are in [0, n); IndexError.
Tensor check_indices(const Arg& indices, std::int64_t n);

}  // namespace weft
