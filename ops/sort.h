// Sorting and what rests on it. Stable: of equals the first comes first; NaNs come last in either order; -0 equals 0.
// Gradients go to the elements that were chosen. IndexError for a bad axis.
#pragma once

#include <vector>

#include "arg.h"
#include "axes.h"
#include "flag.h"
#include "reduce.h"

namespace weft {

/// Indices (i64) along an axis that sort it: ascending, or descending.
Tensor argsort(const Arg& x, Axis axis = -1, Flag descending = false);
/// x sorted along an axis.
Tensor sort(const Arg& x, Axis axis = -1, Flag descending = false);
/// The k largest along an axis in descending order, or the k smallest in ascending order, and their indices.
/// ArgumentError unless 0 <= k <= the extent.
ValuesIndices topk(const Arg& x, std::int64_t k, Axis axis = -1, Flag largest = true);

/// Where to insert `values` in the ascending last axis of `sorted` to keep it so: the first such index (i64), or,
/// `right`, the last. `sorted` is 1-d, or of the values' shape but for the last axis. ShapeError, DTypeError.
Tensor searchsorted(const Arg& sorted, const Arg& values, Flag right = false);

/// The middle element over axes, of all by default, the mean of the two in the middle if their number is even, as
/// NumPy's; NaN if there is one. ArgumentError of nothing.
Tensor median(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// The q-quantile over axes, of all by default: between two elements by linear interpolation; NaN if there is one.
/// ArgumentError of nothing, and unless 0 <= q <= 1.
Tensor quantile(const Arg& x, double q, const Axes& axes = {}, Flag keepdims = false);
/// Several quantiles, along a new first axis, of one sort: quantile(x, {0.25, 0.75}, 0).
Tensor quantile(const Arg& x, const std::vector<double>& q, const Axes& axes = {}, Flag keepdims = false);

}  // namespace weft
