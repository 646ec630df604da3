// How often: of whole numbers, and of numbers between edges.
#pragma once

#include <cstdint>

#include "arg.h"

namespace weft {

/// How often each of 0 .. length - 1 is in x (i32 or i64, any shape), as i64[length]; or, with weights of x's shape,
/// the sums of these, of their dtype. (NumPy's grows with the largest number; here the shape is known before.)
/// IndexError for a number that is not there, ArgumentError if length < 0, DTypeError, ShapeError.
///     bincount(tensor<std::int64_t>({1, 1, 3}), 4)   // [0, 2, 0, 1]
Tensor bincount(const Arg& x, std::int64_t length);
Tensor bincount(const Arg& x, std::int64_t length, const Arg& weights);

/// How many elements of x lie in each of `bins` bins of one width between low and high, the left edge in it, the last
/// one's right edge too; what lies outside, NaN too, is not counted. Floats. ArgumentError unless bins >= 1, and low <
/// high and what lies between them are finite.
struct HistogramResult {
  Tensor counts;  // i64[bins]
  Tensor edges;   // [bins + 1], of x's dtype, of f32 for bf16 and f16
};
HistogramResult histogram(const Arg& x, std::int64_t bins, double low, double high);

}  // namespace weft
