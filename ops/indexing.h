// Ops that address by index tensors (i32 or i64). Indices in [-n, n); IndexError names the position of another.
// DTypeError for indices of another type.
#pragma once

#include "arg.h"
#include "axes.h"

namespace weft {

/// Elements of x at `indices` along an axis: shape x[:axis] + indices.shape + x[axis+1:].
Tensor gather(const Arg& x, const Arg& indices, Axis axis = 0);

// x with `updates`, of shape x[:axis] + indices.shape + x[axis+1:], put at `indices` along an axis, in index order.
// ShapeError if they are of another shape, DTypeError if of another dtype.

/// Added; the same index twice adds twice. bf16 and f16 are added up in f32.
Tensor scatter_add(const Arg& x, const Arg& indices, const Arg& updates, Axis axis = 0);
/// In place of what was there. Of the same index the last counts, in the gradient too: the others' is 0.
Tensor scatter_set(const Arg& x, const Arg& indices, const Arg& updates, Axis axis = 0);
/// The largest of x and all updates of an index; NaN if there is one. At ties the gradient is split evenly.
Tensor scatter_max(const Arg& x, const Arg& indices, const Arg& updates, Axis axis = 0);
/// The smallest of x and all updates of an index; NaN if there is one. At ties the gradient is split evenly.
Tensor scatter_min(const Arg& x, const Arg& indices, const Arg& updates, Axis axis = 0);

/// x with alpha * source[..., k, ...] added at index[k] along an axis, as PyTorch's: the index is 1-d.
Tensor index_add(const Arg& x, Axis axis, const Arg& index, const Arg& source, double alpha = 1);

/// Along an axis, each element by an index of its own, as NumPy's: y[i, j] = x[indices[i, j], j] for axis 0. The
/// indices have x's rank, and broadcast to x's shape beyond the axis. ShapeError.
Tensor take_along_axis(const Arg& x, const Arg& indices, Axis axis);
/// x with values, which broadcast to the indices' shape, where take_along_axis takes from. Of the same index the last
/// counts.
Tensor put_along_axis(const Arg& x, const Arg& indices, const Arg& values, Axis axis);

/// x with a number, or a 0-d tensor, where the mask (bool, it broadcasts to x's shape) is true. ShapeError.
Tensor masked_fill(const Arg& x, const Arg& mask, const Arg& value);
/// Rows of 0 with a 1 at each index: shape indices.shape + [depth]. IndexError for an index not in [0, depth).
Tensor one_hot(const Arg& indices, std::int64_t depth, DType dtype = f32);
/// `indices`, after a check that all are in [low, n); IndexError.
Tensor check_indices(const Arg& indices, std::int64_t n, std::int64_t low = 0);

}  // namespace weft
