// Equations and factorisations of matrices: the last two axes; those before them are batches. f32 and f64; DTypeError
// for others, ShapeError for shapes that do not fit, NumericsError where there is no result (a singular matrix), which
// names the first matrix of the batch.
//
// Of a symmetric argument the lower triangle is read, and has the gradient.
#pragma once

#include "arg.h"
#include "flag.h"

namespace weft {

/// x with a x = b, for square a and b [..., n, m]; batches broadcast. A 1-d b is one column, and x has none either.
Tensor solve(const Arg& a, const Arg& b);
/// The same where a is a triangle: the elements above (or, not `lower`, below) the diagonal are not read.
Tensor triangular_solve(const Arg& a, const Arg& b, Flag lower = true);
/// The inverse.
Tensor inv(const Arg& a);
/// The determinant. Its gradient is the cofactor matrix, at a singular matrix too; that of second order is there at
/// regular ones.
Tensor det(const Arg& a);
/// The determinant's sign and the logarithm of its size; of a singular matrix 0 and -inf.
struct SlogdetResult {
  Tensor sign, logabsdet;
};
SlogdetResult slogdet(const Arg& a);

/// The lower triangle l with l l^T = a, for a symmetric positive definite a.
Tensor cholesky(const Arg& a);
/// a [m, n] = q r, q's columns orthonormal, r an upper triangle: q [m, k], r [k, n], k = min(m, n).
struct QrResult {
  Tensor q, r;
};
QrResult qr(const Arg& a);
/// Of a symmetric matrix: the eigenvalues in ascending order, the eigenvectors as the columns, the
/// largest component of each positive. Between equal eigenvalues the vectors, up to a rotation free, pass no gradient.
struct EighResult {
  Tensor values, vectors;
};
EighResult eigh(const Arg& a);
/// a [m, n] = u diag(s) vh: u [m, k], the largest component of each column positive, s [k] descending, vh [k, n].
/// Between equal s the vectors, up to a rotation free, pass no gradient; gradients of u and vh need positive s.
struct SvdResult {
  Tensor u, s, vh;
};
SvdResult svd(const Arg& a);

}  // namespace weft
