// Matrices and their diagonals. Diagonal k is above the main one for k > 0, below for k < 0. Where no axes are named
// the last two are the matrix's; those before them are batches. ShapeError if there are not two.
#pragma once

#include "arg.h"
#include "axes.h"

namespace weft {

/// x, 0 above diagonal k.
Tensor tril(const Arg& x, std::int64_t k = 0);
/// x, 0 below diagonal k.
Tensor triu(const Arg& x, std::int64_t k = 0);
/// The elements of diagonal k of the matrices that lie in two axes, the first two by default as NumPy's, along a new
/// last axis in place of these; of a contiguous matrix a view.
Tensor diagonal(const Arg& x, std::int64_t k = 0, Axis axis1 = 0, Axis axis2 = 1);
/// Of a vector, the matrix with it on diagonal k; of a matrix, its diagonal k. ShapeError for another rank.
Tensor diag(const Arg& x, std::int64_t k = 0);
/// The sum of diagonal k of the matrices in two axes, as NumPy's; of integers in their own type.
Tensor trace(const Arg& x, std::int64_t k = 0, Axis axis1 = 0, Axis axis2 = 1);

}  // namespace weft
