// Factorisations of one matrix, by Eigen: the only file that includes it is decompose.cpp. Matrices are row-major and
// dense; results that do not exist are NaN. f32 and f64.
#pragma once

#include <cstdint>

namespace weft::decompose {

/// a = l l^T, of a's lower triangle [n, n].
template <class T> void cholesky(const T* a, std::int64_t n, T* l);
/// x with a x = b, of a triangle of a [n, n]; b [n, m].
template <class T> void triangular_solve(const T* a, const T* b, std::int64_t n, std::int64_t m, bool lower, T* x);
/// x with a x = b.
template <class T> void solve(const T* a, const T* b, std::int64_t n, std::int64_t m, T* x);
/// The determinant's sign and the logarithm of its size; 0 and -inf of a singular matrix.
template <class T> void slogdet(const T* a, std::int64_t n, T* sign, T* logarithm);
template <class T> void det(const T* a, std::int64_t n, T* value);
/// det(a) a^-T, also in the limit at a singular a.
template <class T> void cofactor(const T* a, std::int64_t n, T* c);
/// a [m, n] = q r, q [m, k], r [k, n], k = min(m, n).
template <class T> void qr(const T* a, std::int64_t m, std::int64_t n, T* q, T* r);
/// a v = v diag(w), of a's lower triangle, w ascending.
template <class T> void eigh(const T* a, std::int64_t n, T* w, T* v);
/// a [m, n] = u diag(s) vh, u [m, k], vh [k, n], s descending.
template <class T> void svd(const T* a, std::int64_t m, std::int64_t n, T* u, T* s, T* vh);

}  // namespace weft::decompose
