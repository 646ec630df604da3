// Functions whose result's shape depends on values. They read them on the spot, so in a trace (compile, vmap) they are
// a GuardError that names what keeps the shape.
#pragma once

#include <vector>

#include "arg.h"

namespace weft {

/// Where x is not 0 (NaN is not): for each axis the indices (i64) along it, in row-major order.
std::vector<Tensor> nonzero(const Arg& x);
/// The same as rows: i64[n, rank].
Tensor argwhere(const Arg& x);
/// The elements of x where the mask (bool, both broadcast) is true, in row-major order, 1-d. Differentiable in x.
Tensor masked_select(const Arg& x, const Arg& mask);

/// What unique gives: x is gather(values, inverse); `first` is where each value comes first.
struct Unique {
  Tensor values, first, inverse, counts;  // the last three i64
};
/// The different elements in ascending order; all NaNs are one, the last. Differentiable in x: to each first element.
Unique unique(const Arg& x);

}  // namespace weft
