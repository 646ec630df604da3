// Matrices and their diagonals. Diagonal k is above the main one for k > 0, below for k < 0. The last two axes are the
// matrix's; those before them are batches. ShapeError if there are not two.
#pragma once

#include "arg.h"

namespace weft {

/// x, 0 above diagonal k.
Tensor tril(const Arg& x, std::int64_t k = 0);
/// x, 0 below diagonal k.
Tensor triu(const Arg& x, std::int64_t k = 0);
/// The elements of diagonal k along a new last axis in place of two others, as NumPy's; of a contiguous matrix a view.
Tensor diagonal(const Arg& x, std::int64_t k = 0, std::int64_t axis1 = -2, std::int64_t axis2 = -1);
/// Of a vector, the matrix with it on diagonal k; of a matrix, its diagonal k. ShapeError for another rank.
Tensor diag(const Arg& x, std::int64_t k = 0);
/// The sum of diagonal k.
Tensor trace(const Arg& x, std::int64_t k = 0);

}  // namespace weft
