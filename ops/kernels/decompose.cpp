#include "decompose.h"

#define EIGEN_DONT_PARALLELIZE  // the threads are ours
#define EIGEN_MPL2_ONLY
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::decompose {
namespace {

template <class T> using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T> using In = Eigen::Map<const Matrix<T>>;
template <class T> using Out = Eigen::Map<Matrix<T>>;
template <class T> using OutVector = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;
template <class T> constexpr T nan = std::numeric_limits<T>::quiet_NaN();

// The product of the pivots' signs and the row exchanges' sign.
template <class T> T sign_of(const Eigen::PartialPivLU<Matrix<T>>& lu) {
  T sign = static_cast<T>(lu.permutationP().determinant());
  for (Eigen::Index i = 0; i < lu.matrixLU().rows(); ++i) {
    const T pivot = lu.matrixLU()(i, i);
    sign *= pivot > 0 ? T(1) : pivot < 0 ? T(-1) : pivot == 0 ? T(0) : nan<T>;
  }
  return sign;
}

}  // namespace

template <class T> void cholesky(const T* a, std::int64_t n, T* l) {
  const Eigen::LLT<Matrix<T>, Eigen::Lower> llt(In<T>(a, n, n));
  Out<T> out(l, n, n);
  if (llt.info() == Eigen::Success)
    out = llt.matrixL();
  else
    out.setConstant(nan<T>);
}

template <class T> void triangular_solve(const T* a, const T* b, std::int64_t n, std::int64_t m, bool lower, T* x) {
  const In<T> matrix(a, n, n);
  Out<T> out(x, n, m);
  out = In<T>(b, n, m);
  if ((matrix.diagonal().array() == T(0)).any())
    out.setConstant(nan<T>);
  else if (lower)
    matrix.template triangularView<Eigen::Lower>().solveInPlace(out);
  else
    matrix.template triangularView<Eigen::Upper>().solveInPlace(out);
}

template <class T> void solve(const T* a, const T* b, std::int64_t n, std::int64_t m, T* x) {
  const Eigen::PartialPivLU<Matrix<T>> lu(In<T>(a, n, n));
  Out<T> out(x, n, m);
  if ((lu.matrixLU().diagonal().array() == T(0)).any())
    out.setConstant(nan<T>);
  else
    out = lu.solve(In<T>(b, n, m));
}

template <class T> void slogdet(const T* a, std::int64_t n, T* sign, T* logarithm) {
  const Eigen::PartialPivLU<Matrix<T>> lu(In<T>(a, n, n));
  *sign = sign_of<T>(lu);
  *logarithm = lu.matrixLU().diagonal().array().abs().log().sum();
}

template <class T> void det(const T* a, std::int64_t n, T* value) {
  *value = Eigen::PartialPivLU<Matrix<T>>(In<T>(a, n, n)).determinant();
}

// By the inverse where that is accurate; else, of a = u diag(s) v^T, det(u v) u diag(the product of the others) v^T. In
// f64, whatever the type: there few matrices are so near a singular one.
template <class T> void cofactor(const T* a, std::int64_t n, T* c) {
  const Matrix<double> matrix = In<T>(a, n, n).template cast<double>();
  Out<T> out(c, n, n);
  if (!matrix.allFinite()) {
    out.setConstant(nan<T>);
    return;
  }
  const Eigen::PartialPivLU<Matrix<double>> lu(matrix);
  if ((lu.matrixLU().diagonal().array() != 0).all() && lu.rcond() > std::sqrt(std::numeric_limits<double>::epsilon())) {
    out = (lu.determinant() * lu.inverse().transpose()).template cast<T>();
    return;
  }
  const Eigen::BDCSVD<Matrix<double>> f(matrix, Eigen::ComputeFullU | Eigen::ComputeFullV);
  Eigen::VectorXd others =
      Eigen::VectorXd::Constant(n, f.matrixU().determinant() * f.matrixV().determinant() < 0 ? -1 : 1);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j)
      if (j != i) others[i] *= f.singularValues()[j];
  out = (f.matrixU() * others.asDiagonal() * f.matrixV().transpose()).template cast<T>();
}

// The power of two that brings the largest element near 1: Eigen squares elements, which over- or underflow.
template <class T> T scale_of(const In<T>& matrix) {
  if (matrix.size() == 0 || !matrix.allFinite()) return 1;
  int exponent = 0;
  std::frexp(matrix.cwiseAbs().maxCoeff(), &exponent);
  constexpr int most = std::numeric_limits<T>::max_exponent - 8;  // its inverse is one, too
  return std::ldexp(T(1), std::clamp(exponent, -most, most));
}

template <class T> void qr(const T* a, std::int64_t m, std::int64_t n, T* q, T* r) {
  const Eigen::Index k = std::min(m, n);
  const In<T> matrix(a, m, n);
  const T scale = scale_of<T>(matrix);
  const Eigen::HouseholderQR<Matrix<T>> f(matrix / scale);
  Out<T>(q, m, k) = f.householderQ() * Matrix<T>::Identity(m, k);
  Out<T> upper(r, k, n);
  upper = f.matrixQR().topRows(k).template triangularView<Eigen::Upper>();
  upper *= scale;
}

// The sign that makes a vector's largest component positive: a decomposition leaves it free, and it would be another
// one in another precision.
template <class V> typename V::Scalar sign_of_vector(const V& v) {
  Eigen::Index at = 0;
  v.cwiseAbs().maxCoeff(&at);
  return v[at] < 0 ? -1 : 1;
}

template <class T> void eigh(const T* a, std::int64_t n, T* w, T* v) {
  const Eigen::SelfAdjointEigenSolver<Matrix<T>> f(In<T>(a, n, n));  // reads the lower triangle
  const bool found = f.info() == Eigen::Success;
  OutVector<T> values(w, n);
  Out<T> vectors(v, n, n);
  values.setConstant(nan<T>);
  vectors.setConstant(nan<T>);
  if (!found || !f.eigenvalues().allFinite()) return;
  values = f.eigenvalues();
  vectors = f.eigenvectors();
  for (Eigen::Index k = 0; k < n; ++k) vectors.col(k) *= sign_of_vector(f.eigenvectors().col(k));
}

template <class T> void svd(const T* a, std::int64_t m, std::int64_t n, T* u, T* s, T* vh) {
  const Eigen::Index k = std::min(m, n);
  const In<T> matrix(a, m, n);
  OutVector<T> values(s, k);
  if (!matrix.allFinite()) {
    values.setConstant(nan<T>);
    Out<T>(u, m, k).setConstant(nan<T>);
    Out<T>(vh, k, n).setConstant(nan<T>);
    return;
  }
  const Eigen::BDCSVD<Matrix<T>> f(matrix, Eigen::ComputeThinU | Eigen::ComputeThinV);
  values = f.singularValues();
  Out<T> left(u, m, k), right(vh, k, n);
  left = f.matrixU();
  right = f.matrixV().transpose();
  for (Eigen::Index i = 0; i < k; ++i) {
    const T sign = sign_of_vector(f.matrixU().col(i));
    left.col(i) *= sign;
    right.row(i) *= sign;
  }
}

#define WEFT_INSTANTIATE(T)                                                                 \
  template void cholesky(const T*, std::int64_t, T*);                                       \
  template void triangular_solve(const T*, const T*, std::int64_t, std::int64_t, bool, T*); \
  template void solve(const T*, const T*, std::int64_t, std::int64_t, T*);                  \
  template void slogdet(const T*, std::int64_t, T*, T*);                                    \
  template void det(const T*, std::int64_t, T*);                                            \
  template void cofactor(const T*, std::int64_t, T*);                                       \
  template void qr(const T*, std::int64_t, std::int64_t, T*, T*);                           \
  template void eigh(const T*, std::int64_t, T*, T*);                                       \
  template void svd(const T*, std::int64_t, std::int64_t, T*, T*, T*)
WEFT_INSTANTIATE(float);
WEFT_INSTANTIATE(double);

}  // namespace weft::decompose
