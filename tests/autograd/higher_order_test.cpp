// Gradients of gradients: nested tapes, one persistent tape, closed forms.
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
