// What every normalisation has in common.
#pragma once

#include "../tensor/tensor.h"

namespace weft::detail {

struct Standardized {
  Tensor output, mean, variance;  // the statistics with extents of 1
};

/// (x - mean) / sqrt(variance + epsilon) over the axes, of a float in its compute type. The variance divides by the
/// count. It stands for that formula, which compiled code sees, and has a gradient rule of its own: of the written-out
/// one two sums come one after the other, of this one both are taken in a single pass.
Standardized standardize(const Tensor& x, const Ints& axes, double epsilon);

}  // namespace weft::detail
