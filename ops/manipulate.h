// Ops that move elements and do no arithmetic. Most give views: no copy.
//
// Errors of all: IndexError for an axis that x has not; DTypeError where several tensors differ in dtype.
#pragma once

#include <vector>

#include "arg.h"
#include "axes.h"

namespace weft {

/// The same elements in row-major order under another shape; one extent may be -1. ShapeError.
Tensor reshape(const Arg& x, const Shape& shape);
/// All axes in reverse.
Tensor transpose(const Arg& x);
/// Axis i of the result is axis axes[i] of x: transpose(x, {1, 0}). IndexError unless each is named once.
Tensor transpose(const Arg& x, const Ints& axes);
/// Two axes exchanged.
Tensor swap_axes(const Arg& x, Axis a, Axis b);
/// Elements begin, begin + step, ... before end along each axis of the three lists (axis 0 first; further axes whole).
/// Indices count from the back if negative and are clamped, as NumPy's. IndexError if a step is 0.
Tensor slice(const Arg& x, const Ints& begin, const Ints& end, const Ints& step = {});
/// Elements begin to end along one axis.
Tensor slice_axis(const Arg& x, Axis axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1);
/// A new axis of extent 1 at position `axis` of the result.
Tensor expand(const Arg& x, Axis axis);
/// Without the given axes, which must have extent 1; by default all such. ShapeError.
Tensor squeeze(const Arg& x, const Axes& axes = {});
/// The parts end to end along an axis. ShapeError if other extents differ.
Tensor concat(const std::vector<Tensor>& parts, Axis axis = 0,
              std::source_location site = std::source_location::current());
/// The parts along a new axis. ShapeError if shapes differ.
Tensor stack(const std::vector<Tensor>& parts, Axis axis = 0,
             std::source_location site = std::source_location::current());
/// With `before[i]` and `after[i]` elements of `value` around axis i. ArgumentError if one is negative, DTypeError if
/// x's dtype can't hold the value.
Tensor pad(const Arg& x, const Ints& before, const Ints& after, const Literal& value = 0);
/// The elements in row-major order, copied if they do not lie so.
Tensor contiguous(const Arg& x);

}  // namespace weft
