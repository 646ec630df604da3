// Compositions: against long double, at the edges where a naive formula overflows, in 16 bits, and refusing non-floats.
#include <weft/ops/activations.h>
#include <weft/ops/compose.h>
#include <weft/ops/cumulative.h>
#include <weft/ops/subscript.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {
const Tensor x34 = tensor<double>({{1, -2, 3, 0.5}, {0, 0, 0, 0}, {-1, 7, 2, 2}});
}

TEST_CASE("mean and var reduce over the axes asked for") {
  CHECK_NEAR(mean(x34, 1), tensor<double>({0.625, 0, 2.5}), 1e-15);
  CHECK(mean(x34, {0, 1}, true).shape() == Shape{1, 1});
  CHECK_NEAR(var(x34, 1), tensor<double>({3.171875, 0, 8.25}), 1e-15);
  CHECK_NEAR(var(x34, 1, false, 1), tensor<double>({3.171875 * 4 / 3, 0, 11}), 1e-15);
  CHECK(var(tensor({5.0f})).item() == 0);
  CHECK(std::isnan(var(tensor({5.0f}), {}, false, 1).item()));
  CHECK(std::isnan(mean(zeros({0})).item()));
  CHECK(mean(zeros({0, 3}), 1).shape() == Shape{0});
}

// x is 2^24 + 0, 2, 4, ...: its mean is no float, and sum(d^2) is off by n times the square of what that lacks.
TEST_CASE("var of numbers far from 0 does not suffer by its mean's rounding", "[accuracy]") {
  const Tensor x = 16777216 + 2 * cast(arange(64), f32);
  CHECK_NEAR(var(x), tensor(1365.0f), 1e-7);
  CHECK_NEAR(var(transpose(reshape(x, {8, 8})), 0, true), full({1, 8}, 21), 1e-7);
  CHECK_NEAR(var(tensor({1e19, 1.000001e19, 0.999999e19}) * 1), tensor(6.6666e25f),
             0.05);  // a square of sums is no f32
  const Tensor same = full({100}, 0.1);
  CHECK(var(same).item() == 0);
  CHECK(stddev(same).item() == 0);
}

TEST_CASE("softmax, log_softmax and logsumexp neither overflow nor lose the small ones") {
  const Tensor big = tensor({1000, 1000, -1000}), row = tensor({0, std::log(3.0f)});
  CHECK_NEAR(softmax(big), tensor({0.5, 0.5, 0}), 1e-7);
  CHECK_NEAR(softmax(row), tensor({0.25, 0.75}), 1e-6);
  CHECK_NEAR(log_softmax(big), tensor({-std::log(2.0f), -std::log(2.0f), -2000.6931f}), 1e-6);
  CHECK_NEAR(logsumexp(big), tensor(1000 + std::log(2.0f)), 1e-6);
  CHECK_NEAR(sum(softmax(x34, 0), 0), ones({4}, f64), 1e-15);
  CHECK_NEAR(exp(log_softmax(x34, 1)), softmax(x34, 1), 1e-15);
  CHECK_NEAR(logsumexp(x34, {0, 1}), log(sum(exp(x34))), 1e-15);
  CHECK(logsumexp(x34, 1).shape() == Shape{3});
  CHECK(logsumexp(x34, {-1, 0}).shape() == Shape{});
  CHECK(logsumexp(x34, 1, true).shape() == Shape{3, 1});
}

TEST_CASE("rows of infinities: softmax(-inf) is NaN, logsumexp(-inf) is -inf") {
  const Tensor none = full({3}, -INFINITY);
  CHECK(std::isnan(sum(softmax(none)).item()));
  CHECK(logsumexp(none).item() == -INFINITY);
  CHECK_VALUES(softmax(tensor({-INFINITY, 0, -INFINITY})), 0, 1, 0);
  CHECK(std::isnan(softmax(tensor({INFINITY, 0})).to_vector<double>()[0]));
  CHECK(logsumexp(tensor({INFINITY, 0})).item() == INFINITY);
}

TEST_CASE("clip holds between bounds, keeps NaN, and refuses bounds the wrong way round") {
  CHECK_SAME(clip(tensor({-5, 0.5, 5, NAN}), -1, 1), tensor({-1, 0.5, 1, NAN}));
  CHECK_VALUES(clip(tensor<std::int32_t>({-5, 9}), 0, 3), 0, 3);
  CHECK_SAME(clip(tensor({{-5, 5}, {0, 9}}), tensor({-1, 0}), tensor({{3}, {4}})), tensor({{-1, 3}, {0, 4}}));
  CHECK(message_of<ArgumentError>([] { clip(zeros({2}), 1, -1); }) ==
        "clip: low 1 is not <= high -1\n  in0  f32[2]\n  low  literal 1\n  high literal -1\n  at HERE");
  CHECK_THROWS_AS(clip(zeros({2}), NAN, 1), ArgumentError);
  CHECK_THROWS_AS(clip(zeros({2}), zeros({3}), 1), ShapeError);
  CHECK(message_of<DTypeError>([] { clip(arange(2), 0.5, 1.5); }) ==
        "clip: the literal 0.5 does not fit a tensor of i64\n  in0  i64[2]\n  low  literal 0.5\n  high literal 1.5\n"
        "  at HERE\n  hint: cast the tensor to a float type");
}

TEST_CASE("norm is the root of the sum of squares") {
  CHECK(norm(tensor({3, 4})).item() == 5);
  CHECK(norm(zeros({3})).item() == 0);
  CHECK(norm(zeros({0})).item() == 0);
  CHECK_VALUES(norm(tensor({{3, 4}, {0, 0}}), 2, 1), 5, 0);
  CHECK(std::isnan(norm(tensor({NAN, 1})).item()));
}

TEST_CASE("in 16 bits a composition computes in f32 and rounds once") {
  Random random;
  const Tensor x = random_tensor(random, {5, 40}, DType::bf16);
  const Tensor wide = cast(x, f32);
  CHECK_SAME(softmax(x), cast(softmax(wide), DType::bf16));
  CHECK_SAME(gelu(x), cast(gelu(wide), DType::bf16));
  CHECK_SAME(mean(x, 1), cast(mean(wide, 1), DType::bf16));
  CHECK_SAME(var(x), cast(var(wide), DType::bf16));
  CHECK_SAME(norm(x), cast(norm(wide), DType::bf16));
  CHECK_SAME(logsumexp(x, 1), cast(logsumexp(wide, 1), DType::bf16));
}

TEST_CASE("compositions refuse what is no float, under their own name") {
  CHECK(message_of<DTypeError>([] { mean(zeros({2}, i32)); }) ==
        "mean: no meaning for i32\n  in0  i32[2]\n  at HERE\n  hint: cast it to f32 or f64");
  CHECK_THROWS_AS(softmax(zeros({2}, i64)), DTypeError);
  CHECK_THROWS_AS(gelu(zeros({2}, DType::boolean)), DTypeError);
  CHECK_THROWS_AS(norm(zeros({2}, u8)), DTypeError);
  CHECK(message_of<IndexError>([] { softmax(zeros({2}), 1); }) ==
        "softmax: axis 1 out of range for rank 1 [-1, 0]\n  in0  f32[2]\n  at HERE");
  CHECK_THROWS_AS(mean(Tensor()), ArgumentError);
}

TEST_CASE("stddev, nansum, count_nonzero, norms and extrema with their indices") {
  const Tensor x = tensor({{1, -2, 3}, {0, 4, 0}});
  CHECK_VALUES(stddev(tensor({1, 3})), 1);
  CHECK_VALUES(stddev(tensor({1, 3}), {}, false, 1), std::sqrt(2.0f));
  CHECK_VALUES(stddev(tensor({5}), {}, true, 0), 0);
  CHECK_VALUES(nansum(tensor({1, NAN, 2})), 3);
  CHECK_VALUES(nansum(full({2}, NAN)), 0);
  CHECK_VALUES(count_nonzero(x), 4);
  CHECK_VALUES(count_nonzero(x, 1, true), 3, 1);
  CHECK(count_nonzero(x).dtype() == i64);
  CHECK_VALUES(count_nonzero(tensor<bool>({true, false})), 1);
  CHECK_VALUES(count_nonzero(tensor({NAN, 0})), 1);
  CHECK_VALUES(norm(x, 0, 1), 3, 1);
  CHECK_VALUES(norm(x, 1, 1), 6, 4);
  CHECK_VALUES(norm(x, INFINITY, 1), 3, 4);
  CHECK_VALUES(norm(x, -INFINITY, 1), 1, 0);
  CHECK_VALUES(norm(tensor({3, 4}), 2, {}), 5);
  CHECK_NEAR(norm(x, 3, 1), tensor({std::cbrt(36.0f), 4}), 1e-6);
  CHECK_VALUES(norm(x, -1, 1)[1], 0);
  CHECK_THROWS_AS(norm(x, NAN, 1), ArgumentError);
  CHECK_THROWS_AS(norm(zeros({0}), INFINITY), ArgumentError);
  const auto [most, at] = max_with_indices(x, 1);
  CHECK_VALUES(most, 3, 4);
  CHECK_VALUES(at, 2, 1);
  CHECK_VALUES(min_with_indices(x, 0, true).values, 0, -2, 0);
  CHECK(min_with_indices(x, 0, true).indices.shape() == Shape{1, 3});
  const Tensor coins = tensor<bool>({true, false});
  CHECK(message_of<DTypeError>([&] { max_with_indices(coins, 0); }) ==
        "max_with_indices: no meaning for bool\n  in0  bool[2]\n  at HERE\n  hint: cast it to a number type");
  CHECK_THROWS_AS(max(coins), DTypeError);
  CHECK_THROWS_AS(cummax(coins), DTypeError);
  CHECK_THROWS_AS(cummin(coins), DTypeError);
  CHECK(message_of<ArgumentError>([] {
          max_with_indices(zeros({0, 2}), 0);
        }) == "max_with_indices: of no elements: [0, 2] along axis 0\n  in0  f32[0, 2]\n  at HERE");
}

TEST_CASE("isclose and allclose are NumPy's") {
  const double inf = INFINITY;
  const Tensor x = tensor<double>({1, 1, inf, inf, -inf, NAN, 0}),
               y = tensor<double>({1 + 9e-6, 1 + 3e-5, inf, -inf, 1, NAN, 1e-9});
  CHECK(isclose(x, y).to_vector<bool>() == std::vector<bool>{true, false, true, false, false, false, true});
  CHECK(isclose(x, y, 1e-5, 1e-8, true).to_vector<bool>()[5]);
  CHECK(isclose(y, x, 1, 0).to_vector<bool>() == std::vector<bool>{true, true, true, false, false, false, false});
  CHECK(allclose(tensor({1, 2}), tensor({{1, 2}, {1, 2}})));
  CHECK(allclose(ones({2}), 1));
  CHECK(!allclose(1.001, ones({2})));
  CHECK(allclose(zeros({0}), 5));
  CHECK(allclose(cast(tensor({100}), DType::bf16), cast(tensor({101}), DType::bf16), 0.02));
  CHECK_THROWS_AS(isclose(ones({2}), ones({3})), ShapeError);
  CHECK_THROWS_AS(isclose(ones({2}), ones({2}, f64)), DTypeError);
  CHECK(message_of<DTypeError>([] {
          isclose(ones({2}, DType::bf16), ones({2}));
        }).find("isclose: dtypes differ: bf16 and f32") == 0);
  CHECK(isclose(tensor(INFINITY), tensor(1e30), 1e10).item() == 0);
  CHECK(isclose(tensor(INFINITY), tensor(INFINITY), 1e10).item() == 1);
  CHECK_THROWS_AS(isclose(ones({2}, i64), ones({2}, i64)), DTypeError);
  CHECK_THROWS_AS(isclose(ones({2}), ones({2}), -1), ArgumentError);
  CHECK_THROWS_AS(allclose(ones({2}), Tensor()), ArgumentError);
}

TEST_CASE("nan_to_num replaces what is not finite") {
  const Tensor x = tensor({1, NAN, INFINITY, -INFINITY});
  CHECK_VALUES(nan_to_num(x), 1, 0, 3.40282346638528859812e38f, -3.40282346638528859812e38f);
  CHECK_VALUES(nan_to_num(x, -1, 5, -5), 1, -1, 5, -5);
  CHECK(nan_to_num(cast(x, DType::f16)).to_vector<float>() == std::vector<float>{1, 0, 65504, -65504});
  CHECK(nan_to_num(cast(x, f64)).at({2}) == 1.7976931348623157e308);
  CHECK(nan_to_num(cast(x, DType::bf16)).to_vector<float>()[2] == 0x1.fep127f);
  CHECK_THROWS_AS(nan_to_num(ones({2}, i64)), DTypeError);
}
