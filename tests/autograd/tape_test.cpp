// GradientTape: what it watches, what it gives, when it refuses.
#include <thread>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("the sum of a scalar is the scalar, and has its gradient") {
  Variable v(tensor(3));
  GradientTape tape({.persistent = true});
  const Tensor s = sum(v), m = max(v.value(), Ints{});
  CHECK(tape.gradient(s, v).item() == 1);
  CHECK(tape.gradient(m * m, v).item() == 6);
}

TEST_CASE("a gradient is the sum over all uses of its source", "[tape]") {
  const NoLeaks guard;
  Variable v(scalar(3));
  {
    GradientTape tape;
    CHECK_GRADIENT(tape.gradient(v + 2 + 3, v), 1);
  }
  {
    GradientTape tape;
    CHECK_GRADIENT(tape.gradient(v * v, v), 6);
  }
  {
    GradientTape tape;
    CHECK_GRADIENT(tape.gradient(v * v * v + v, v), 28);
  }
}

TEST_CASE("a target that is no scalar means the sum of its elements", "[tape]") {
  const NoLeaks guard;
  const Tensor x = tensor({1, 2, 3});
  CHECK_GRADIENT(gradient_of([](const Tensor& t) { return t * t; }, x), 2, 4, 6);
  CHECK(gradient_of([](const Tensor& t) { return t * 2; }, zeros({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("output gradients must fit their targets", "[tape][bad-input.19]") {
  const NoLeaks guard;
  const Tensor x = ones({2, 3});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = x * x;
  const auto with = [&](std::vector<Tensor> g) {
    return [&tape, &x, &y, g] { tape.gradient(y, x, GradientOptions{.output_gradients = g}); };
  };
  CHECK(message_of<ShapeError>(with({ones({3})})) ==
        "gradient: output gradient 0 is f32[3], its target f32[2, 3]\n  tape  made at HERE");
  CHECK(message_of<DTypeError>(with({ones({2, 3}, f64)})) ==
        "gradient: output gradient 0 is f64[2, 3], its target f32[2, 3]\n  tape  made at HERE");
  CHECK(message_of<GradError>(with({ones({2, 3}), ones({2, 3})})) ==
        "gradient: 2 output gradients for 1 targets\n  tape  made at HERE");
  CHECK(tape.gradient(y, x).defined());
}

TEST_CASE("a name is no other tensor: gradients reach what was named", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor named = x.named("x");
  CHECK_GRADIENT(tape.gradient(named * x, x), 6);
  CHECK_GRADIENT(tape.gradient(x * x, named), 6);
}

TEST_CASE("stop_gradient stops one path, not the others", "[tape]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& x) { return stop_gradient(x) * x; }, scalar(3)), 3);
}

TEST_CASE("a tape belongs to its thread, and sees no other's ops", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(2);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  Tensor elsewhere;
  std::string asked, stopped;
  std::thread([&] {
    elsewhere = x * x;
    asked = message_of<GradError>([&] { tape.gradient(elsewhere, x); });
    stopped = message_of<GradError>([&] { tape.stop(); });
  }).join();
  CHECK(asked == "a tape belongs to the thread that made it");
  CHECK(stopped == "a tape belongs to the thread that made it");
  CHECK_FALSE(tape.gradient(elsewhere, x).defined());
  CHECK_GRADIENT(tape.gradient(x * x, x), 4);
}

TEST_CASE("only rules between the sources and the target run", "[tape]") {
  const NoLeaks guard;
  int runs = 0;
  const auto counted = custom_gradient([&](const Tensor& t) {
    return std::pair(t * 2, [&](const Tensor& dy) {
      ++runs;
      return dy * 2;
    });
  });
  const Tensor x = scalar(3), z = scalar(5);
  GradientTape tape({.persistent = true});
  tape.watch(x, z);
  const Tensor before = counted(x), aside = counted(z), y = before * aside;
  tape.stop();
  CHECK_GRADIENT(tape.gradient(y, before), 10);  // an intermediate source: what comes before it needs no gradient
  CHECK(runs == 0);
  CHECK_GRADIENT(tape.gradient(y, z), 12);
  CHECK(runs == 1);
  CHECK_GRADIENT(tape.gradient(y, x), 20);
  CHECK(runs == 2);
}
