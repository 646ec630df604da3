// Equal parts of an axis, for layers that compute several things in one product.
#pragma once

#include <vector>

#include "../tensor/tensor.h"

namespace weft::detail {

/// x cut along an axis into `n` equal parts, which its extent is a multiple of. Views, as slices are; but their
/// gradients come together in one concat, where each of so many slices would give one of the whole size.
std::vector<Tensor> equal_parts(const Tensor& x, std::int64_t n, int axis);

}  // namespace weft::detail
