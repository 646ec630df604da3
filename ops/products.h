// Products and sums of products, onto the matrix product, or, of vectors alone, onto the sum. Operands have one dtype.
#pragma once

#include <string_view>
#include <vector>

#include "../tensor/site.h"
#include "arg.h"
#include "axes.h"

namespace weft {

/// NumPy's: of two vectors the sum of products; of others the sum over a's last axis and b's last but one; a number
/// multiplies. ShapeError.
Tensor dot(const Arg& a, const Arg& b);
/// a[i] * b[k] of all pairs, each flattened.
Tensor outer(const Arg& a, const Arg& b);
/// The sum over both last axes; a number multiplies. ShapeError.
Tensor inner(const Arg& a, const Arg& b);
/// The sum over a's last and b's first `axes` axes. ShapeError.
Tensor tensordot(const Arg& a, const Arg& b, int axes = 2);
/// The sum over axes_a[i] of a and axes_b[i] of b together; the rest of a, then of b. ShapeError, IndexError.
Tensor tensordot(const Arg& a, const Arg& b, const Ints& axes_a, const Ints& axes_b);
/// Every element of a times the whole of b, in its place.
Tensor kron(const Arg& a, const Arg& b);
/// The vector product of a and b along an axis of 3: a_y b_z - a_z b_y and so on. They broadcast.
Tensor cross(const Arg& a, const Arg& b, Axis axis = -1);

/// Sums of products by labels, in NumPy's grammar: "bij,bjk->bik". A label names an axis of each operand that has it
/// (extents equal, or 1); one twice in an operand means its diagonal; those that the result lacks are summed over;
/// "..." stands for axes that broadcast. Without "->" the result has the labels that come once, in the order of ASCII.
/// Two operands at a time, in the order of least arithmetic (up to 8 operands; greedily beyond), as batched matrix
/// products. ArgumentError names the position in the string, ShapeError the label.
Tensor einsum(std::string_view labels, const std::vector<Tensor>& operands, Site site = Site::current());

}  // namespace weft
