// Reductions over axes: all by default; keepdims leaves extents of 1. IndexError for a bad axis.
//
// The order of the additions depends on the logical shape alone (design, section 5), so results are the same compiled,
// eager, on any number of threads and any ISA.
#pragma once

#include "arg.h"
#include "axes.h"
#include "flag.h"

namespace weft {

/// The sum; 0 of nothing. Numbers only; of integers in their own dtype, which wraps: cast u8 first.
Tensor sum(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// The product; 1 of nothing. Its gradient is exact at zeros.
Tensor prod(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// The largest; NaN if there is one. ArgumentError of nothing. At ties the gradient is split evenly.
Tensor max(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// The smallest; NaN if there is one. ArgumentError of nothing. At ties the gradient is split evenly.
Tensor min(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// Of bool tensors.
Tensor any(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
Tensor all(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// Elements and their indices (i64) along an axis.
struct ValuesIndices {
  Tensor values, indices;
};
/// max along one axis, and argmax, in one call; the gradient goes to the element of that index alone.
ValuesIndices max_with_indices(const Arg& x, Axis axis, Flag keepdims = false);
ValuesIndices min_with_indices(const Arg& x, Axis axis, Flag keepdims = false);
/// Index (i64) of the largest along an axis, the first of equals, of NaN the first NaN. ArgumentError of nothing.
Tensor argmax(const Arg& x, Axis axis, Flag keepdims = false);
/// Index (i64) of the smallest along an axis, the first of equals, of NaN the first NaN. ArgumentError of nothing.
Tensor argmin(const Arg& x, Axis axis, Flag keepdims = false);
/// Of all elements, in row-major order.
Tensor argmax(const Arg& x);
Tensor argmin(const Arg& x);

}  // namespace weft
