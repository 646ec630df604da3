// A tape's contract where there is no gradient: undefined tensors, or zeros where asked; and host control flow, which
// records what ran.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
const GradientOptions zero{.unconnected = Unconnected::zero};
}

TEST_CASE("Integers have no gradient", "[tape][1.5.11]") {
  const NoLeaks guard;
  const Tensor x = tensor<std::int32_t>({5});
  GradientTape tape;
  tape.watch(x);
  CHECK_FALSE(tape.gradient(x + x, x).defined());
}

TEST_CASE("The maximum taken by the host has a gradient for the variable chosen alone", "[tape][1.5.31]") {
  const NoLeaks guard;
  const std::array<Variable, 3> x{Variable(scalar(2)), Variable(scalar(3)), Variable(scalar(5))};
  GradientTape tape;
  const Variable* largest = &x[0];
  for (const Variable& v : x)
    if (v.value().item() > largest->value().item()) largest = &v;
  const auto g = tape.gradient(largest->value(), x);
  CHECK_FALSE(g[0].defined());
  CHECK_FALSE(g[1].defined());
  CHECK_GRADIENT(g[2], 1);
}

TEST_CASE("stop_gradient leaves no gradient, also of an argmax", "[tape][1.5.43]") {
  const NoLeaks guard;
  const Tensor x = tensor({1, 5, 2});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  CHECK_FALSE(tape.gradient(stop_gradient(cast(argmax(x, 0), f32)), x).defined());
  CHECK_FALSE(tape.gradient(stop_gradient(x * x), x).defined());
}

TEST_CASE("argmax has no gradient", "[tape][1.5.44]") {
  const NoLeaks guard;
  const Tensor x = tensor({1, 5, 2});
  GradientTape tape;
  tape.watch(x);
  CHECK_FALSE(tape.gradient(argmax(x, 0), x).defined());
}

TEST_CASE("A variable that was read but not used has no gradient", "[tape][1.5.50]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  GradientTape tape;
  v.value();
  CHECK_FALSE(tape.gradient(scalar(1) * 2, v).defined());
}

TEST_CASE("A variable as target that does not depend on the source has no gradient", "[tape][1.5.56]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  Variable y(scalar(2));
  GradientTape tape;
  tape.watch(x);
  CHECK_FALSE(tape.gradient(y, x).defined());
}

TEST_CASE("A branch that the host takes is recorded, the other is not", "[tape][1.5.57]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  Variable untaken(scalar(1));
  GradientTape tape;
  tape.watch(x);
  const Tensor y = (x < 10).item<bool>() ? x * x : x * untaken;
  const auto [dx, dv] = tape.gradient(y, x, untaken);
  CHECK_GRADIENT(dx, 6);
  CHECK_FALSE(dv.defined());
}

TEST_CASE("A loop of the host is recorded pass by pass", "[tape][1.5.58]") {
  const NoLeaks guard;
  const Tensor x = scalar(1);
  GradientTape tape;
  tape.watch(x);
  Tensor y = x;
  for (int i = 0; i < 2; ++i) y = y * 2;
  CHECK_GRADIENT(tape.gradient(y, x), 4);
}

TEST_CASE("A tape inside a loop's body gives a gradient each time", "[tape][1.5.5]") {
  const NoLeaks guard;
  Tensor x = scalar(2);
  for (int i = 0; i < 3; ++i) {
    GradientTape tape;
    tape.watch(x);
    const Tensor dx = tape.gradient(x * x, x);
    REQUIRE(dx.defined());
    CHECK(dx.item() == 2 * x.item());
    x = dx;
  }
  CHECK(x.item() == 16);
}

TEST_CASE("What is unconnected is undefined by default", "[tape][1.5.65]") {
  const NoLeaks guard;
  const Tensor x = full({2, 2}, 1), z = full({2, 2}, 3);
  GradientTape tape;
  tape.watch(x);
  CHECK_FALSE(tape.gradient(z * z, x).defined());
}

TEST_CASE("What is unconnected is zeros of the source's type where asked", "[tape][1.5.66]") {
  const NoLeaks guard;
  const Tensor x = full({2, 2}, 1, f64), z = full({2, 2}, 3);
  GradientTape tape;
  tape.watch(x);
  const Tensor dx = tape.gradient(z * z, x, zero);
  CHECK_GRADIENT(dx, 0, 0, 0, 0);
  CHECK(dx.type() == x.type());
}

TEST_CASE("An unconnected variable has zeros where asked", "[tape][1.5.67]") {
  const NoLeaks guard;
  Variable x(full({2, 2}, 1)), z(full({2, 2}, 3));
  GradientTape tape;
  CHECK_GRADIENT(tape.gradient(z * z, x, zero), 0, 0, 0, 0);
}

TEST_CASE("Another value for unconnected gradients is refused", "[tape][1.5.68]") {
  const NoLeaks guard;
  const Tensor x = scalar(1);
  GradientTape tape;
  tape.watch(x);
  const GradientOptions nonsense{.unconnected = static_cast<Unconnected>(7)};
  CHECK(message_of<ArgumentError>([&] { tape.gradient(x * x, x, nonsense); }) ==
        "gradient: unknown value for unconnected gradients: 7\n  tape  made at HERE");
  CHECK_GRADIENT(tape.gradient(x, x), 1);  // the tape is not used up
}

TEST_CASE("Sources without any gradient: each is undefined", "[tape][1.5.128]") {
  const NoLeaks guard;
  Variable table(ones({3, 2}));
  GradientTape tape;
  const auto g = tape.gradient(ones({2}) * 2, std::vector{table.value(), Tensor(table)});
  CHECK_FALSE(g[0].defined());
  CHECK_FALSE(g[1].defined());
}
