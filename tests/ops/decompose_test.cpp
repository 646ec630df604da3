// Equations and factorisations: what defines them, batches, what has no result, refusals.
#include <weft/ops/compose.h>
#include <weft/ops/decompose.h>
#include <weft/ops/diagonal.h>
#include <weft/ops/linalg.h>
#include <weft/ops/reduce.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {
Tensor t(const Tensor& x) { return swap_axes(x, -1, -2); }
Tensor spd(Random& r, const Shape& shape, DType type) {
  const Tensor x = random_tensor(r, shape, type, -1, 1);
  return matmul(x, t(x)) + eye(shape.back(), type);
}
}  // namespace

TEST_CASE("solve, triangular_solve and inv solve") {
  Random r(71);
  for (const DType type : {f32, f64}) {
    const double tolerance = type == f32 ? 1e-4 : 1e-12;
    const Tensor a = spd(r, {2, 5, 5}, type), b = random_tensor(r, {2, 5, 3}, type);
    CHECK_NEAR(matmul(a, solve(a, b)), b, tolerance);
    CHECK_NEAR(matmul(tril(a), triangular_solve(a, b)), b, tolerance);
    CHECK_NEAR(matmul(triu(a), triangular_solve(a, b, false)), b, tolerance);
    CHECK_NEAR(matmul(a, inv(a)), broadcast_to(eye(5, type), {2, 5, 5}), tolerance);
    CHECK(solve(a, random_tensor(r, {5, 1}, type)).shape() == Shape{2, 5, 1});
    CHECK_NEAR(solve(t(a), b), solve(contiguous(t(a)), b), tolerance);
  }
  CHECK_VALUES(solve(tensor({{2, 0}, {0, 4}}), tensor({{2}, {2}})), 1, 0.5);
  CHECK(solve(zeros({0, 0}), zeros({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("det and slogdet have the sign of the row exchanges") {
  const Tensor a = tensor<double>({{0, 2, 0}, {3, 0, 0}, {0, 0, 4}});
  CHECK_NEAR(det(a), tensor<double>(-24), 1e-14);
  const auto [sign, logabsdet] = slogdet(a);
  CHECK_VALUES(sign, -1);
  CHECK_NEAR(logabsdet, tensor<double>(std::log(24)), 1e-14);
  const auto singular = slogdet(zeros({2, 2}));
  CHECK_VALUES(singular.sign, 0);
  CHECK_VALUES(singular.logabsdet, -INFINITY);
  CHECK_VALUES(det(zeros({2, 2})), 0);
  CHECK_VALUES(det(zeros({0, 0})), 1);
  CHECK_VALUES(slogdet(zeros({0, 0})).logabsdet, 0);
}

TEST_CASE("the largest component of an eigenvector and of a left singular vector is positive") {
  Random r;
  const Tensor x = random_tensor(r, {20, 5, 4}, f64), a = matmul(transpose(x, Ints{0, 2, 1}), x);
  const auto positive = [](const Tensor& columns) {
    const Tensor largest = max(columns, 1), least = min(columns, 1);
    return all(largest >= -least).item<bool>();
  };
  CHECK(positive(eigh(a).vectors));
  CHECK(positive(svd(x).u));
  CHECK(positive(svd(cast(x, f32)).u));
}

TEST_CASE("the factors of cholesky, qr, eigh and svd are what they should be, and multiply to the matrix") {
  Random r(72);
  const Tensor a = spd(r, {3, 6, 6}, f64), unit = broadcast_to(eye(6, f64), {3, 6, 6});
  const Tensor l = cholesky(a);
  CHECK_NEAR(matmul(l, t(l)), a, 1e-12);
  CHECK_SAME(tril(l), l);
  CHECK_SAME(cholesky(tril(a)), l);  // the upper triangle is not read
  const auto [w, v] = eigh(a);
  CHECK_NEAR(matmul(v, expand(w, -1) * t(v)), a, 1e-12);
  CHECK_NEAR(matmul(t(v), v), unit, 1e-12);
  CHECK(min(slice_axis(w, -1, 1, 6) - slice_axis(w, -1, 0, 5)).item() >= 0);
  for (const Shape& shape : {Shape{2, 6, 4}, Shape{2, 4, 6}, Shape{5, 5}}) {
    const Tensor x = random_tensor(r, shape, f64);
    const std::int64_t k = std::min(shape.back(), shape[shape.size() - 2]);
    Shape square = shape;
    square[shape.size() - 1] = square[shape.size() - 2] = k;
    const Tensor one = broadcast_to(eye(k, f64), square);
    const auto [q, upper] = qr(x);
    CHECK_NEAR(matmul(q, upper), x, 1e-12);
    CHECK_NEAR(matmul(t(q), q), one, 1e-12);
    CHECK_SAME(triu(upper), upper);
    const auto [u, s, vh] = svd(x);
    CHECK_NEAR(matmul(u, expand(s, -1) * vh), x, 1e-12);
    CHECK_NEAR(matmul(t(u), u), one, 1e-12);
    CHECK_NEAR(matmul(vh, t(vh)), one, 1e-12);
    CHECK(min(slice_axis(s, -1, 0, k - 1) - slice_axis(s, -1, 1, k)).item() >= 0);
  }
}

TEST_CASE("qr of small and large numbers is that of the same matrix near 1") {
  const Tensor a = tensor<float>({{4, 2}, {2, 3}, {1, 5}});
  for (const double scale : {0x1p-120, 0x1p-66, 0x1p66, 0x1p120}) {
    const auto near = qr(a), far = qr(a * scale);
    CHECK_SAME(far.q, near.q);
    CHECK_SAME(far.r, near.r * scale);
  }
}

TEST_CASE("a matrix without a result is a NumericsError that says which", "[golden]") {
  const Tensor bad = stack({eye(2), ones({2, 2})});
  CHECK(message_of<NumericsError>([&] { inv(bad); }) ==
        "inv: matrix 1 of 2 is singular\n  in0  f32[2, 2, 2]\n  at HERE\n  hint: so is one with NaN or inf in it");
  CHECK_THROWS_AS(solve(bad, eye(2)), NumericsError);
  CHECK_THROWS_AS(triangular_solve(zeros({2, 2}), eye(2)), NumericsError);
  CHECK(message_of<NumericsError>([&] {
          cholesky(-eye(3));
        }).find("cholesky: matrix 0 of 1 is not positive definite") == 0);
  CHECK_THROWS_AS(svd(full({2, 2}, NAN)), NumericsError);
  CHECK_THROWS_AS(eigh(full({2, 2}, INFINITY)), NumericsError);
  CHECK_THROWS_AS(eigh(tensor<double>({{INFINITY, 0}, {0, 1}})), NumericsError);
}

TEST_CASE("matrices of other shapes and dtypes are refused", "[golden]") {
  CHECK(message_of<ShapeError>([] {
          inv(zeros({2, 3}));
        }) == "inv: matrices of 2 by 3 are not square\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<ShapeError>([] { det(zeros({3})); }) == "det: rank 1 has no matrices\n  in0  f32[3]\n  at HERE");
  CHECK(message_of<ShapeError>([] {
          solve(eye(2), zeros({3, 1}));
        }) == "solve: matrices [2, 2] do not fit right sides [3, 1]\n  lhs  f32[2, 2]\n  rhs  f32[3, 1]\n  at HERE");
  CHECK(message_of<DTypeError>([] { cholesky(eye(2, i32)); }) ==
        "cholesky: no meaning for i32\n  in0  i32[2, 2]\n  at HERE\n  hint: cast it to f32 or f64");
  CHECK_THROWS_AS(solve(eye(2), eye(2, f64)), DTypeError);
  CHECK_THROWS_AS(solve(eye(2), zeros({3})), ShapeError);
  CHECK_THROWS_AS(svd(Tensor()), ArgumentError);
}
