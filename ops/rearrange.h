// Movement made of views, copies and gathers: repeated, turned round, cut up, put around. Named as NumPy's and
// PyTorch's. IndexError for a bad axis.
#pragma once

#include <initializer_list>
#include <optional>
#include <vector>

#include "../tensor/site.h"
#include "arg.h"
#include "axes.h"
#include "flag.h"

namespace weft {

/// In reverse order along the given axes, by default all; a view.
Tensor flip(const Arg& x, const Axes& axes = {});
/// Shifted along an axis: element i comes from i - shift, around the end. Without an axis, of the flattened elements.
Tensor roll(const Arg& x, std::int64_t shift, const std::optional<Axis>& axis = {});
/// Each element `times` times in a row along an axis, as NumPy's (PyTorch's repeat_interleave). ArgumentError if
/// negative.
Tensor repeat(const Arg& x, std::int64_t times, Axis axis);
/// Element i times[i] times. ShapeError unless there is one number an element.
Tensor repeat(const Arg& x, const std::vector<std::int64_t>& times, Axis axis);
inline Tensor repeat(const Arg& x, std::initializer_list<std::int64_t> times, Axis axis) {  // {3} is a list
  return repeat(x, std::vector(times), axis);
}
/// The whole repeated: times[i] times along axis i, of which there are as many as the larger of rank and times has.
Tensor tile(const Arg& x, const Ints& times);

/// `parts` equal parts along an axis, views, as NumPy's and TensorFlow's (PyTorch's number is the extent of each).
/// ShapeError if they can't be equal; ArgumentError of this, chunk and unstack for more than 2^20 parts.
std::vector<Tensor> split(const Arg& x, std::int64_t parts, Axis axis = 0);
/// Parts of these extents, which add up to the axis's. ShapeError.
std::vector<Tensor> split(const Arg& x, const std::vector<std::int64_t>& extents, Axis axis = 0);
inline std::vector<Tensor> split(const Arg& x, std::initializer_list<std::int64_t> extents, Axis axis = 0) {
  return split(x, std::vector(extents), axis);  // {3} is a list
}
/// At most `chunks` parts, all of one extent but the last, as PyTorch's; of no elements so many empty ones.
/// ArgumentError if chunks < 1.
std::vector<Tensor> chunk(const Arg& x, std::int64_t chunks, Axis axis = 0);
/// The elements along an axis, each without it.
std::vector<Tensor> unstack(const Arg& x, Axis axis = 0);

/// What pad puts around: the elements mirrored at the edge one (reflect), the edge one (replicate), those from the
/// other end (circular).
enum class PadMode : std::uint8_t { reflect, replicate, circular };
/// With `before[i]` and `after[i]` elements around axis i. ArgumentError if one is negative, ShapeError if there are
/// not as many elements to take: reflect has n - 1, circular n, replicate any number if n > 0.
Tensor pad(const Arg& x, const Ints& before, const Ints& after, PadMode mode);

/// Coordinates: of 1-d tensors, each along an axis of its own and constant along the others; views. `xy`: the first two
/// axes exchanged, as NumPy's default. ShapeError.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& axes, Flag xy = false, Site site = Site::current());

}  // namespace weft
