// Activations: values, tails, kinks, NaN, 16 bits, and what they refuse. Gradients are autograd's tests.
#include <weft/ops/activations.h>
#include <weft/ops/compose.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("smooth activations: values, tails and NaN") {
  const Tensor x = tensor<double>({-1000, -2, -0.0, 0, 1.5, 1000, NAN});
  CHECK_NEAR(softplus(x),
             tensor<double>(
                 {0, std::log1p(std::exp(-2.0)), std::log(2.0), std::log(2.0), std::log1p(std::exp(1.5)), 1000, NAN}),
             1e-15);
  CHECK_NEAR(log_sigmoid(x),
             tensor<double>({-1000, -2 - std::log1p(std::exp(-2.0)), -std::log(2.0), -std::log(2.0),
                             -std::log1p(std::exp(-1.5)), 0, NAN}),
             1e-15);
  CHECK_NEAR(silu(x), tensor<double>({0, -2 / (1 + std::exp(2.0)), 0, 0, 1.5 / (1 + std::exp(-1.5)), 1000, NAN}),
             1e-15);
  const auto phi = [](double v) { return v * 0.5 * std::erfc(-v / std::sqrt(2.0)); };
  CHECK_NEAR(gelu(x), tensor<double>({0, phi(-2), 0, 0, phi(1.5), 1000, NAN}), 1e-14);
  CHECK_NEAR(gelu(x, true), gelu(x), 1e-3);
  const auto mish_of = [](double v) { return v * std::tanh(std::log1p(std::exp(v))); };
  CHECK_NEAR(mish(x), tensor<double>({0, mish_of(-2), 0, 0, mish_of(1.5), 1000, NAN}), 1e-15);
  CHECK_NEAR(softsign(x), tensor<double>({-1000.0 / 1001, -2.0 / 3, 0, 0, 0.6, 1000.0 / 1001, NAN}), 1e-15);
  const double m = std::expm1(-2.0);
  CHECK_NEAR(elu(x, 0.5), tensor<double>({-0.5, 0.5 * m, -0.0, 0, 1.5, 1000, NAN}), 1e-15);
  CHECK_NEAR(celu(x, 2), tensor<double>({-2, 2 * std::expm1(-1.0), -0.0, 0, 1.5, 1000, NAN}), 1e-15);
  const double scale = 1.0507009873554805, alpha = 1.6732632423543772;
  CHECK_NEAR(selu(x), tensor<double>({-scale * alpha, scale * alpha * m, -0.0, 0, scale * 1.5, scale * 1000, NAN}),
             1e-15);
}

TEST_CASE("piecewise linear activations: values at and between kinks, and NaN") {
  const Tensor x = tensor({-4, -3, -0.5, -0.0, 0, 2, 3, 6, 7, NAN});
  CHECK_SAME(relu(x), tensor({0, 0, 0, 0, 0, 2, 3, 6, 7, NAN}));
  CHECK_SAME(relu6(x), tensor({0, 0, 0, 0, 0, 2, 3, 6, 6, NAN}));
  CHECK_SAME(leaky_relu(x, 0.5), tensor({-2, -1.5, -0.25, -0.0, 0, 2, 3, 6, 7, NAN}));
  CHECK_NEAR(hard_sigmoid(x), tensor({0, 0, 2.5f / 6, 0.5, 0.5, 5.0f / 6, 1, 1, 1, NAN}), 1e-7);
  CHECK_NEAR(hard_swish(x), tensor({0, 0, -1.25f / 6, 0, 0, 10.0f / 6, 3, 6, 7, NAN}), 1e-7);
  CHECK_VALUES(relu(tensor<std::int32_t>({-3, 4})), 0, 4);
  CHECK_VALUES(relu6(tensor<std::int64_t>({-3, 4, 9})), 0, 4, 6);
}

TEST_CASE("glu gates one half of an axis by the other") {
  const Tensor x = tensor<double>({{1, 2, 0, 100}, {-3, 4, -100, 0}});
  CHECK_NEAR(glu(x), tensor<double>({{0.5, 2}, {0, 2}}), 1e-15);
  CHECK_SAME(glu(x, 0), transpose(glu(transpose(x), 1)));
  CHECK(glu(zeros({3, 0, 2}), 1).shape() == Shape{3, 0, 2});
  CHECK(message_of<ShapeError>([] {
          glu(zeros({2, 3}));
        }) == "glu: axis -1 of [2, 3] is no two halves\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<IndexError>([] {
          glu(zeros({2, 4}), 2);
        }) == "glu: axis 2 out of range for rank 2 [-2, 1]\n  in0  f32[2, 4]\n  at HERE");
  CHECK_THROWS_AS(glu(tensor(1.0f)), IndexError);
}

TEST_CASE("prelu takes one slope, or one for each channel") {
  const Tensor x = tensor({{-1, -2}, {3, -4}}), slopes = tensor({0.5, 0.25});
  CHECK_VALUES(prelu(x, 0.5), -0.5, -1, 3, -2);
  CHECK_VALUES(prelu(x, tensor({0.5})), -0.5, -1, 3, -2);
  CHECK_VALUES(prelu(x, slopes), -0.5, -0.5, 3, -1);
  CHECK_VALUES(prelu(reshape(x, {1, 2, 2}), slopes), -0.5, -1, 3, -1);
  CHECK_VALUES(prelu(tensor({-2, 2}), 0.5), -1, 2);
  CHECK(message_of<ShapeError>([] {
          prelu(zeros({2, 3}), zeros({2}));
        }) ==
        "prelu: weight is [2], neither one element nor one for each entry of axis 1 of [2, 3]\n  x       f32[2, 3]\n  "
        "weight  f32[2]\n  at HERE");
  CHECK_THROWS_AS(prelu(zeros({3}), zeros({3})), ShapeError);
  CHECK_THROWS_AS(prelu(zeros({3}), zeros({1}, f64)), DTypeError);
  CHECK_THROWS_AS(prelu(zeros({3}), Tensor()), ArgumentError);
}

namespace {
const std::pair<const char*, Tensor (*)(const Tensor&)> of_floats[] = {
    {"leaky_relu", [](const Tensor& t) { return leaky_relu(t); }},
    {"prelu", [](const Tensor& t) { return prelu(t, 0.25); }},
    {"elu", [](const Tensor& t) { return elu(t); }},
    {"selu", [](const Tensor& t) { return selu(t); }},
    {"celu", [](const Tensor& t) { return celu(t, 2); }},
    {"gelu", [](const Tensor& t) { return gelu(t); }},
    {"gelu by tanh", [](const Tensor& t) { return gelu(t, true); }},
    {"silu", [](const Tensor& t) { return silu(t); }},
    {"mish", [](const Tensor& t) { return mish(t); }},
    {"softplus", [](const Tensor& t) { return softplus(t); }},
    {"softsign", [](const Tensor& t) { return softsign(t); }},
    {"log_sigmoid", [](const Tensor& t) { return log_sigmoid(t); }},
    {"hard_sigmoid", [](const Tensor& t) { return hard_sigmoid(t); }},
    {"hard_swish", [](const Tensor& t) { return hard_swish(t); }},
    {"glu", [](const Tensor& t) { return glu(t); }}};
}

TEST_CASE("activations in 16 bits compute in f32 and round once, of any shape; other types are refused") {
  Random random;
  for (const auto& [name, f] : of_floats) {
    INFO(name);
    for (DType t : {DType::bf16, DType::f16}) {
      const Tensor x = random_tensor(random, {5, 40}, t);
      CHECK_SAME(f(x), cast(f(cast(x, f32)), t));
    }
    CHECK(f(zeros({0, 4})).size() == 0);
    for (const Tensor& other : laid_out_otherwise(random_tensor(random, {3, 4}, f32)))
      CHECK_SAME(f(other), f(contiguous(other)));
    CHECK_THROWS_AS(f(zeros({2, 2}, i32)), DTypeError);
    CHECK_THROWS_AS(f(zeros({2, 2}, DType::boolean)), DTypeError);
    CHECK_THROWS_AS(f(Tensor()), ArgumentError);
  }
  CHECK_THROWS_AS(celu(zeros({2}), 0), ArgumentError);
  CHECK_THROWS_AS(celu(zeros({2}), NAN), ArgumentError);
  CHECK_THROWS_AS(elu(zeros({2}), NAN), ArgumentError);
  CHECK_THROWS_AS(leaky_relu(zeros({2}), NAN), ArgumentError);
  CHECK(message_of<DTypeError>([] { relu6(zeros({2}, DType::boolean)); }) ==
        "relu6: no meaning for bool\n  in0  bool[2]\n  at HERE\n  hint: cast it to a number type");
  CHECK(message_of<DTypeError>([] { mish(zeros({2}, i32)); }) ==
        "mish: no meaning for i32\n  in0  i32[2]\n  at HERE\n  hint: cast it to f32 or f64");
}
