// Differences and distances.
#pragma once

#include "arg.h"
#include "axes.h"

namespace weft {

/// x[i + 1] - x[i] along an axis, n times over. ArgumentError if n < 0.
Tensor diff(const Arg& x, int n = 1, Axis axis = -1);
/// The p-norm (see norm) of a[..., i, :] - b[..., k, :] for all pairs: [..., n, d] and [..., m, d] -> [..., n, m].
/// Batches broadcast. ArgumentError for p < 0 and NaN. The gradient at distance 0 is 0. Computed from the differences,
/// so exact for near points; it takes n * m * d elements where nothing fuses them.
Tensor cdist(const Arg& a, const Arg& b, double p = 2);

}  // namespace weft
