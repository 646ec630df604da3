// A tape's contract: gradients of gradients.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
// The gradient of gradient_of(f) at x.
template <class F> Tensor second_gradient(F f, const Tensor& x) {
  return gradient_of([&](const Tensor& t) { return gradient_of(f, t); }, x);
}
}  // namespace

TEST_CASE("The second gradient of a cross-entropy of one class is 0", "[tape][1.5.37]") {
  const NoLeaks guard;
  const Tensor labels = tensor({{1}});
  const auto loss = [&](const Tensor& x) { return -sum(labels * log_softmax(x, -1)); };
  CHECK_GRADIENT(second_gradient(loss, tensor({{3}})), 0);
}

TEST_CASE("The second gradient of x squared is 2", "[tape][1.5.41]") {
  const NoLeaks guard;
  CHECK_GRADIENT(second_gradient([](const Tensor& x) { return x * x; }, scalar(1)), 2);
}

TEST_CASE("The second gradient of exp at 0 is 1", "[tape][1.5.42]") {
  const NoLeaks guard;
  CHECK_GRADIENT(second_gradient([](const Tensor& x) { return exp(x); }, scalar(0)), 1);
}

TEST_CASE("An inner tape watches an intermediate of the outer one", "[tape][1.5.55]") {
  const NoLeaks guard;
  const Tensor x = scalar(1);
  GradientTape outer;
  outer.watch(x);
  const Tensor y = x + x;
  GradientTape inner;
  inner.watch(y);
  const Tensor z = y * y;
  const Tensor dz = inner.gradient(z, y);
  CHECK_GRADIENT(dz, 4);
  CHECK_GRADIENT(outer.gradient(std::tuple(dz, stop_gradient(z), x, x), x), 6);
}

TEST_CASE("One persistent tape gives the first, second and third derivative", "[tape][1.5.61]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = x * x * x;
  const Tensor first = tape.gradient(y, x), second = tape.gradient(first, x), third = tape.gradient(second, x);
  CHECK_GRADIENT(y, 27);
  CHECK_GRADIENT(first, 27);
  CHECK_GRADIENT(second, 18);
  CHECK_GRADIENT(third, 6);
}

TEST_CASE("A persistent inner tape is used twice, and its gradient feeds the outer one", "[tape][1.5.62]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape outer;
  outer.watch(x);
  GradientTape inner({.persistent = true});
  inner.watch(x);
  const Tensor y = x * x, z = y + 3 * x;
  const Tensor dy = inner.gradient(y, x), dz = inner.gradient(z, x);
  CHECK_GRADIENT(dy, 6);
  CHECK_GRADIENT(dz, 9);
  CHECK_GRADIENT(outer.gradient(dy * dy / 2, x), 12);
}

TEST_CASE("Sources may be intermediate: of z = y y, y = x x", "[tape][1.5.64]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x, z = y * y;
  const auto [dx, dy] = tape.gradient(z, x, y);
  CHECK_GRADIENT(dx, 108);
  CHECK_GRADIENT(dy, 18);
}
