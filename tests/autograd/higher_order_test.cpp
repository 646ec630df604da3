// Gradients of gradients: nested tapes, one persistent tape, closed forms.
#include <weft/ops/special.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("the tape of a gradient that is not persistent does not record it", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor dx = tape.gradient(x * x * x, x);
  CHECK(tape.size() == 0);
  CHECK_THROWS_AS(tape.gradient(dx, x), GradError);
}

TEST_CASE("derivatives of sin up to the fourth order", "[tape]") {
  const NoLeaks guard;
  const Tensor x = full({}, 0.7, f64);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  Tensor y = sin(x);
  for (double expected : {std::cos(0.7), -std::sin(0.7), -std::cos(0.7), std::sin(0.7)}) {
    y = tape.gradient(y, x);
    CHECK(std::abs(y.item() - expected) < 1e-15);
  }
}

TEST_CASE("a Hessian times a vector, by gradient of a gradient", "[tape]") {
  const NoLeaks guard;
  const Tensor m = tensor<double>({{1, 2}, {3, 4}}), x = tensor<double>({{5}, {6}}), v = tensor<double>({{1}, {-1}});
  GradientTape outer;
  outer.watch(x);
  GradientTape inner;
  inner.watch(x);
  const Tensor g = inner.gradient(sum(x * matmul(m, x)), x);
  const Tensor hv = outer.gradient(g, x, GradientOptions{.output_gradients = {v}});
  CHECK_SAME(hv, matmul(m + transpose(m), v));
}

TEST_CASE("gradients reach output gradients and other inputs of the rule", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), seed = scalar(5);
  GradientTape outer;
  outer.watch(seed);
  GradientTape inner;
  inner.watch(x);
  const Tensor g = inner.gradient(x * x, x, GradientOptions{.output_gradients = {seed}});
  CHECK_GRADIENT(g, 30);
  CHECK_GRADIENT(outer.gradient(g, seed), 6);
}

TEST_CASE("errors in a gradient name its op and its line", "[tape]") {
  const NoLeaks guard;
  const Tensor x = ones({2});
  const auto bad =
      custom_gradient([](const Tensor& t) { return std::pair(t * 2, [](const Tensor&) { return ones({3}); }); });
  GradientTape tape;
  tape.watch(x);
  const Tensor y = bad(x);
  CHECK(message_of<ShapeError>([&] { tape.gradient(y, x); }) ==
        "in the gradient of custom_gradient: the gradient for input 0 is f32[3], the input f32[2]\n  at HERE");
}

TEST_CASE("a power has all its derivatives at 0", "[tape]") {
  for (const double exponent : {0, 1, 2, 3}) {
    const Tensor x = tensor<double>({0, 2});
    GradientTape tape({.persistent = true});
    tape.watch(x);
    Tensor y = pow(x, exponent);
    double at_0 = exponent == 0, at_2 = std::pow(2, exponent);
    for (int order = 1; order <= 4; ++order) {
      y = tape.gradient(y, x);
      const double factor = exponent - order + 1;
      at_0 = factor == 0 ? 0 : order == exponent ? std::tgamma(exponent + 1) : 0;
      at_2 = at_2 * factor / 2;
      CHECK_SAME(y + 0., tensor<double>({at_0, at_2}) + 0.);
    }
  }
}

TEST_CASE("i1 has its derivatives at and near 0", "[tape]") {
  // x / 2 + x^3 / 16 + x^5 / 384 + ...; at 1.5 by mpmath
  const Tensor x = tensor<double>({0, 1e-3, 1e-310, 1.5});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  Tensor y = i1(x);
  const double h = 1e-3;
  const Tensor expected[] = {
      tensor<double>({0.5, 0.5 + 3 * h * h / 16, 0.5, 0.992278904054286}),
      tensor<double>({0, 3 * h / 8 + 5 * h * h * h / 96, 3e-310 / 8, 0.756443349687454}),
      tensor<double>({0.375, 0.375 + 5 * h * h / 32, 0.375, 0.788280776116588}),
  };
  for (const Tensor& e : expected) {
    y = tape.gradient(y, x);
    CHECK_NEAR(y, e, 1e-12);
  }
}
