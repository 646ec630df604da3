// Gradients of gradients: nested tapes, one persistent tape, closed forms.
#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("an inner tape's gradient is differentiated by the outer one", "[tape][1.5.41][1.5.42][1.5.55]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), zero = scalar(0);
  GradientTape outer({.persistent = true});
  outer.watch(x, zero);
  Tensor dx, de;
  {
    GradientTape inner({.persistent = true});
    inner.watch(x, zero);
    dx = inner.gradient(x * x, x);
    de = inner.gradient(exp(zero), zero);
  }
  CHECK_GRADIENT(outer.gradient(dx, x), 2);
  CHECK_GRADIENT(outer.gradient(de, zero), 1);
}

TEST_CASE("an inner tape may watch an intermediate of the outer one", "[tape][1.5.55]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape outer;
  outer.watch(x);
  const Tensor y = x * x;
  GradientTape inner;
  inner.watch(y);
  const Tensor dz = inner.gradient(y * y, y);
  CHECK_GRADIENT(dz, 18);
  CHECK_GRADIENT(outer.gradient(dz, x), 12);
}

TEST_CASE("one persistent tape gives derivatives of any order inside its scope", "[tape][1.5.61]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = x * x * x, first = tape.gradient(y, x), second = tape.gradient(first, x), third = tape.gradient(second, x);
  CHECK_GRADIENT(y, 27);
  CHECK_GRADIENT(first, 27);
  CHECK_GRADIENT(second, 18);
  CHECK_GRADIENT(third, 6);
  CHECK_GRADIENT(tape.gradient(y, x), 27);
}

TEST_CASE("a persistent inner tape used twice", "[tape][1.5.62]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape outer;
  outer.watch(x);
  GradientTape inner({.persistent = true});
  inner.watch(x);
  const Tensor y = x * x, dy = inner.gradient(y, x), again = inner.gradient(y * y, x);
  CHECK_GRADIENT(dy, 6);
  CHECK_GRADIENT(again, 108);
  CHECK_GRADIENT(outer.gradient(std::tuple(dy, again), x), 2 + 108);
}

TEST_CASE("the tape of a gradient that is not persistent does not record it", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor dx = tape.gradient(x * x * x, x);
  CHECK(tape.size() == 0);
  CHECK_THROWS_AS(tape.gradient(dx, x), GradError);
}

TEST_CASE("the second gradient of a row with one class is 0", "[tape][1.5.34][1.5.37]") {
  const NoLeaks guard;
  const auto xent = [](const Tensor& logits) { return -sum(log_softmax(logits) * tensor({{1, 0}})); };
  CHECK_NEAR(gradient_of(xent, tensor({{0, 0}})), tensor({{-0.5, 0.5}}), 1e-7);
  const Tensor x = tensor({{3.0f}});
  GradientTape outer;
  outer.watch(x);
  GradientTape inner;
  inner.watch(x);
  const Tensor dx = inner.gradient(-sum(log_softmax(x)), x);
  CHECK_GRADIENT(dx, 0);
  CHECK_GRADIENT(outer.gradient(dx, x, GradientOptions{.unconnected = Unconnected::zero}), 0);
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
  const auto bad = custom_gradient([](const Tensor& t) { return std::pair(t * 2, [](const Tensor&) { return ones({3}); }); });
  GradientTape tape;
  tape.watch(x);
  const Tensor y = bad(x);
  CHECK(message_of<ShapeError>([&] { tape.gradient(y, x); }) ==
        "in the gradient of custom_gradient: the gradient for input 0 is f32[3], the input f32[2]\n  at HERE");
}
