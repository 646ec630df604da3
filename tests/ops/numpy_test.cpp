// Corners of arithmetic, order and shapes that NumPy's users rely on: each value here is NumPy's.
#include <weft/ops/compose.h>
#include <weft/ops/cumulative.h>
#include <weft/ops/decompose.h>
#include <weft/ops/reduce.h>
#include <weft/ops/select.h>
#include <weft/ops/sort.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {
constexpr float nan_ = NAN, inf = INFINITY;
}

TEST_CASE("remainder and floor_divide have Python's signs, of zeros, infinities and integers too", "[numpy]") {
  const Tensor n = tensor({7, -7, 7, -7, 0, -0.0F, inf, 3, -3, 1}),
               d = tensor({3, 3, -3, -3, -3, 3, 2, inf, inf, -inf});
  CHECK_SAME(remainder(n, d), tensor({1, 2, -2, -1, -0.0F, 0, nan_, 3, inf, -inf}));
  CHECK_SAME(floor_divide(n, d), tensor({2, -3, -3, 2, -0.0F, -0.0F, nan_, 0, -1, -1}));
  CHECK_SAME(fmod(n, d), tensor({1, -1, 1, -1, 0, -0.0F, nan_, 3, -3, 1}));
  const Tensor by_zero = tensor({5, -5, 0});
  CHECK_SAME(floor_divide(by_zero, 0), tensor({inf, -inf, nan_}));
  CHECK_SAME(remainder(by_zero, 0), tensor({nan_, nan_, nan_}));
  const Tensor i = tensor<std::int32_t>({7, -7, 7, -7, 5, INT32_MIN}), k = tensor<std::int32_t>({3, 3, -3, -3, 0, -1});
  CHECK_VALUES(remainder(i, k), 1, 2, -2, -1, 0, 0);
  CHECK_VALUES(floor_divide(i, k), 2, -3, -3, 2, 0, -0x1p31);
  CHECK_VALUES(fmod(i, k), 1, -1, 1, -1, 0, 0);
}

TEST_CASE("halves go to the even integer, and a power of 0 is 1", "[numpy]") {
  CHECK_SAME(round(tensor({0.5, 1.5, 2.5, -0.5, -1.5})), tensor({0, 2, 2, -0.0F, -2}));
  CHECK_SAME(pow(tensor({-2, -2, 0, 0, nan_}), tensor({3, 0.5F, 0, -1, 0})), tensor({-8, nan_, 1, inf, 1}));
}

TEST_CASE("NaN is the first found, the last sorted and one value; equals keep their order", "[numpy]") {
  const Tensor x = tensor({3, 1, nan_, 2, -inf, inf, 1, nan_});
  CHECK(argmax(x, 0).item<std::int64_t>() == 2);
  CHECK(argmin(x, 0).item<std::int64_t>() == 2);
  CHECK_VALUES(argsort(x), 4, 1, 6, 3, 0, 5, 2, 7);
  CHECK_VALUES(argsort(tensor({-0.0F, 0, -0.0F})), 0, 1, 2);
  const Unique u = unique(tensor({3, 1, 3, nan_, nan_, 2}));
  CHECK_SAME(u.values, tensor({1, 2, 3, nan_}));
  CHECK_VALUES(u.first, 1, 5, 0, 3);
  CHECK_VALUES(u.inverse, 2, 0, 2, 3, 3, 1);
  CHECK_VALUES(u.counts, 1, 1, 2, 2);
}

TEST_CASE("integers add up in their own type, one element has no unbiased variance", "[numpy]") {
  CHECK_SAME(cumsum(tensor<std::int32_t>({2, 3, -2})), tensor<std::int32_t>({2, 5, 3}));
  CHECK(std::isnan(var(tensor({5}), {}, false, 1).item()));
  CHECK(var(tensor({5})).item() == 0);
}

TEST_CASE("an infinite bound of clip is none", "[numpy]") {
  CHECK_SAME(clip(tensor({-2, 0.5, nan_}), 0, inf), tensor({0, 0.5, nan_}));
  CHECK_SAME(clip(tensor({-2, 0.5, 3}), -inf, 1), tensor({-2, 0.5, 1}));
}

TEST_CASE("solve takes a vector as one column, of each matrix of a batch", "[numpy]") {
  const Tensor a = tensor<double>({{2, 1}, {1, 3}}), b = tensor<double>({1, 2});
  CHECK_SAME(solve(a, b), squeeze(solve(a, expand(b, 1)), 1));
  CHECK_SAME(triangular_solve(a, b), squeeze(triangular_solve(a, expand(b, 1)), 1));
  CHECK(solve(stack({a, a * 2, a}), b).shape() == Shape{3, 2});
  CHECK(message_of<ShapeError>([&] {
          solve(a, tensor<double>({1, 2, 3}));
        }) == "solve: matrices [2, 2] do not fit right sides [3, 1]\n  lhs  f64[2, 2]\n  rhs  f64[3]\n  at HERE");
}

TEST_CASE("== and != go element by element", "[numpy]") {
  const Tensor x = tensor({1, 2, nan_});
  CHECK_SAME(x == 2, equal(x, 2));
  CHECK_SAME(x != x, not_equal(x, x));
  CHECK_SAME(1 == x, equal(x, 1));
  const Variable v = x;
  CHECK_SAME(v == x, equal(x, x));
  static_assert(!std::is_convertible_v<decltype(x == x), bool>);  // no condition
}

TEST_CASE("the first powers are products, to the bit") {
  Random r(8);
  for (const DType type : {f32, f64}) {
    const Tensor special = cast(tensor<double>({0, -0.0, INFINITY, -INFINITY, NAN, 1e-30, -1e25, 1, -1}), type);
    for (const Tensor& x : {random_tensor(r, {1000}, type, -30, 30), special}) {
      const auto power = [&](double y) { return pow(x, full(x.shape(), y, type)); };
      CHECK_SAME(power(1), x);
      CHECK_SAME(power(2), x * x);
      CHECK_SAME(power(3), x * x * x);
      CHECK_SAME(pow(x, 2), x * x);
      CHECK_SAME(pow(x, 3), x * x * x);
    }
  }
  const Tensor ends = tensor<float>({0, -0.0F, INFINITY, -INFINITY, NAN, 1e-30F, -1e25F});
  CHECK_SAME(pow(ends, -1), 1 / ends);
  CHECK_THROWS_AS(pow(ones({2}, i64), -1), DTypeError);
  CHECK_THROWS_AS(pow(Tensor(), -1), ArgumentError);
  CHECK_THROWS_AS(pow(ones({2}, i64), 2), DTypeError);
  CHECK_THROWS_AS(pow(Tensor(), 2), ArgumentError);
}
