// GradientTape: what it watches, what it gives, when it refuses. Tags name the cases of the contract
// (contract/gradient-tape.md, 1.5).
#include <thread>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("a gradient is the sum over all uses of its source", "[tape][1.5.3][1.5.63][1.5.78]") {
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

TEST_CASE("ops that change nothing still differentiate", "[tape][1.5.4][1.5.17][1.5.25]") {
  const NoLeaks guard;
  Variable v(scalar(2));
  GradientTape tape({.persistent = true});
  const Tensor x = v.value();
  CHECK_GRADIENT(tape.gradient(identity(x), v), 1);
  for (const Tensor& y : {x + 0, x - 0, x * 1}) CHECK_GRADIENT(tape.gradient(y, v), 1);
  CHECK_GRADIENT(tape.gradient(v, v), 1);
  CHECK_GRADIENT(tape.gradient(v.value(), v), 1);
}

TEST_CASE("a source that is also a target counts with its output gradient", "[tape][1.5.16][1.5.19][1.5.20][1.5.21][1.5.26]") {
  const NoLeaks guard;
  const Tensor x = scalar(2);
  const auto make = [&] {
    auto tape = std::make_unique<GradientTape>();
    tape->watch(x);
    return tape;
  };
  CHECK_GRADIENT(make()->gradient(x, x), 1);
  auto tape = make();
  CHECK_GRADIENT(tape->gradient(std::tuple(x, x * x), x), 5);
  CHECK_GRADIENT(make()->gradient(std::tuple(x, x), x), 2);
  tape = make();
  const Tensor y = 5 * x;
  const auto [dx, dy] = tape->gradient(std::tuple(x, y, y * y), x, y);
  CHECK_GRADIENT(dx, 1 + 5 + 100);
  CHECK_GRADIENT(dy, 1 + 20);
  const Tensor m = ones({2, 2});
  GradientTape wide;
  wide.watch(m);
  CHECK_GRADIENT(wide.gradient(std::tuple(m, m), m), 2, 2, 2, 2);
}

TEST_CASE("several targets are summed; output gradients weigh them", "[tape][1.5.7][1.5.9][1.5.10][1.5.86]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = scalar(2);
  GradientTape tape({.persistent = true});
  tape.watch(x, y);
  const Tensor xy = x * y, two = identity(x);
  const auto [dx, dy] = tape.gradient(std::vector{2 * x, 3 * y}, x, y);
  CHECK_GRADIENT(dx, 2);
  CHECK_GRADIENT(dy, 3);
  CHECK_GRADIENT(tape.gradient(std::tuple(xy, x), x, GradientOptions{.output_gradients = {scalar(1), scalar(2)}}), 4);
  CHECK_GRADIENT(tape.gradient(two, x, GradientOptions{.output_gradients = {scalar(2)}}), 2);
  CHECK_GRADIENT(tape.gradient(std::tuple(xy, two), x, GradientOptions{.output_gradients = {Tensor(), scalar(5)}}), 7);
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
  const auto with = [&](std::vector<Tensor> g) { return [&tape, &x, &y, g] { tape.gradient(y, x, GradientOptions{.output_gradients = g}); }; };
  CHECK(message_of<ShapeError>(with({ones({3})})) == "output gradient 0 is f32[3], its target f32[2, 3]");
  CHECK(message_of<DTypeError>(with({ones({2, 3}, f64)})) == "output gradient 0 is f64[2, 3], its target f32[2, 3]");
  CHECK(message_of<GradError>(with({ones({2, 3}), ones({2, 3})})) == "2 output gradients for 1 targets");
  CHECK(tape.gradient(y, x).defined());
}

TEST_CASE("what does not depend on a source has no gradient, or zeros where asked", "[tape][1.5.50][1.5.56][1.5.65][1.5.66][1.5.67]") {
  const NoLeaks guard;
  const Tensor x = ones({2, 2}), unwatched = ones({3});
  Variable v(ones({2, 2})), read(scalar(1));
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = sum(v * 2) + read * 0 * 0;
  CHECK_FALSE(tape.gradient(y, x).defined());
  CHECK_FALSE(tape.gradient(y, unwatched).defined());
  CHECK_FALSE(tape.gradient(ones({2}), x).defined());
  const GradientOptions zero{.unconnected = Unconnected::zero};
  CHECK_GRADIENT(tape.gradient(y, x, zero), 0, 0, 0, 0);
  CHECK_GRADIENT(tape.gradient(x * 2, v, zero), 0, 0, 0, 0);
  CHECK_GRADIENT(tape.gradient(y, unwatched, zero), 0, 0, 0);
  CHECK_FALSE(tape.gradient(y, Tensor()).defined());
}

TEST_CASE("integers, bools and what passes through them have no gradient", "[tape][1.5.11][1.5.22][1.5.23][1.5.24][1.5.43][1.5.44]") {
  const NoLeaks guard;
  const Tensor i = tensor<std::int32_t>({1, 2}), x = tensor({1, 5});
  GradientTape tape({.persistent = true});
  tape.watch(i, x);  // warns
  CHECK_FALSE(tape.gradient(i + i, i).defined());
  CHECK_FALSE(tape.gradient(argmax(x, 0), x).defined());
  CHECK_FALSE(tape.gradient(x > 2, x).defined());
  CHECK_FALSE(tape.gradient(cast(cast(x, i32), f32), x).defined());
  CHECK_FALSE(tape.gradient(stop_gradient(x), x).defined());
  CHECK_GRADIENT(tape.gradient(std::tuple(x, i + 1), x), 1, 1);
  CHECK_GRADIENT(tape.gradient(cast(cast(x, f64), f32) * 3, x), 3, 3);
  CHECK_GRADIENT(tape.gradient(where(x < 2, x, x * x), x), 1, 10);
}

TEST_CASE("where's gradient flows to the branch that was chosen", "[tape][1.5.6]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& x) { return where(x < 10, x, x * x); }, tensor({5, 50})), 1, 100);
}

TEST_CASE("a tape that is not persistent answers once and stops recording", "[tape][1.5.35][1.5.59][bad-input.20]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x;
  CHECK(tape.recording());
  CHECK_GRADIENT(tape.gradient(y, x), 6);
  CHECK_FALSE(tape.recording());
  CHECK(tape.size() == 0);
  CHECK(message_of<GradError>([&] { tape.gradient(y, x); }) ==
        "gradient() was called before on this tape, which is not persistent\n  hint: GradientTape tape({.persistent = true})");
}

TEST_CASE("a persistent tape answers any number of times", "[tape][1.5.35][1.5.60][1.5.53]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = x * x, z = y * y;
  CHECK_GRADIENT(tape.gradient(z, x), 108);
  CHECK_GRADIENT(tape.gradient(y, x), 6);
  CHECK_GRADIENT(tape.gradient(z, x), 108);
  const auto [a, b] = tape.gradient(std::tuple(x, 10 * x), x, x);
  CHECK_GRADIENT(a, 11);
  CHECK_GRADIENT(b, 11);
}

TEST_CASE("the same source twice gets the same gradient twice", "[tape][1.5.52]") {
  const NoLeaks guard;
  const Tensor x = scalar(5);
  GradientTape tape;
  tape.watch(x);
  const auto g = tape.gradient(x + x, std::vector{x, x});
  CHECK_GRADIENT(g[0], 2);
  CHECK_GRADIENT(g[1], 2);
}

TEST_CASE("the same value twice as arguments is two sources where it is two tensors", "[tape][1.5.88][1.5.96]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), same_value = scalar(3);
  GradientTape tape;
  tape.watch(x, same_value);
  const auto [a, b] = tape.gradient(x * same_value + x, x, same_value);
  CHECK_GRADIENT(a, 4);
  CHECK_GRADIENT(b, 3);
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

TEST_CASE("an intermediate tensor may be a source", "[tape][1.5.64]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x, z = y * y;
  const auto [dx, dy] = tape.gradient(z, x, y);
  CHECK_GRADIENT(dx, 108);
  CHECK_GRADIENT(dy, 18);
}

TEST_CASE("gather's gradients add up where a row is taken twice", "[tape][1.5.1][1.5.2][1.5.14][1.5.128][1.5.130]") {
  const NoLeaks guard;
  Variable table(reshape(arange(0, 6, 1), {3, 2}));
  const auto idx = [](std::initializer_list<std::int64_t> v) { return from_vector(std::vector<std::int64_t>(v)); };
  GradientTape tape({.persistent = true});
  CHECK_GRADIENT(tape.gradient(gather(table, idx({0, 0, 1})), table), 2, 2, 1, 1, 0, 0);
  CHECK_GRADIENT(tape.gradient(sum(gather(table, idx({2})) * sum(gather(table, idx({0})))) + sum(table * 3), table), 12, 12, 3, 3, 4, 4);
}

TEST_CASE("stop_gradient stops one path, not the others", "[tape][1.5.43]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& x) { return stop_gradient(x) * x; }, scalar(3)), 3);
}

TEST_CASE("an exception inside a tape's scope leaves no recorder behind", "[tape][1.5.84]") {
  const NoLeaks guard;
  const Tensor x = scalar(2);
  const auto failing = [&] {
    GradientTape tape;
    tape.watch(x);
    x + zeros({2, 3}) + zeros({7});
  };
  CHECK_THROWS_AS(failing(), ShapeError);
  CHECK(active_recorders().empty());
  CHECK_GRADIENT(gradient_of([](const Tensor& t) { return t * t; }, x), 4);
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

TEST_CASE("an undefined target or watch is refused", "[tape]") {
  const NoLeaks guard;
  GradientTape tape;
  CHECK_THROWS_AS(tape.gradient(Tensor(), scalar(1)), GradError);
  CHECK_THROWS_AS(tape.watch(Tensor()), ArgumentError);
  CHECK_THROWS_AS(tape.watch(Variable()), ArgumentError);
  CHECK_THROWS_AS(tape.gradient(scalar(1), Variable()), ArgumentError);
}
