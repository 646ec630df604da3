// Linear algebra.
#pragma once

#include "arg.h"

namespace weft {

/// The matrix product of the last two axes; axes before them are batches and broadcast. A 1-d operand is a row (left)
/// or a column (right), and its axis is dropped again. Transposed operands cost nothing. ShapeError;
/// DTypeError for bools, or two dtypes.
Tensor matmul(const Arg& a, const Arg& b);

}  // namespace weft
