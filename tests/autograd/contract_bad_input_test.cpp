// What a tape refuses: each a typed error with its cause, after which the next gradient is right.
#include <thread>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
const Tensor x = scalar(3);
// The next gradient is right.
void check_next() {
  CHECK(active_recorders().empty());
  CHECK_GRADIENT(gradient_of([](const Tensor& t) { return t * t; }, x), 6);
}
}  // namespace

TEST_CASE("a wrong number of output gradients", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = x * x;
    CHECK(message_of<GradError>([&] {
            tape.gradient(y, x, GradientOptions{.output_gradients = {scalar(1), scalar(1)}});
          }) == "gradient: 2 output gradients for 1 targets\n  tape  made at HERE");
    CHECK_GRADIENT(tape.gradient(y, x), 6);  // the tape is not used up
  }
  check_next();
}

TEST_CASE("an output gradient of another shape", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = x * x;
    CHECK(message_of<ShapeError>([&] { tape.gradient(y, x, GradientOptions{.output_gradients = {ones({1})}}); }) ==
          "gradient: output gradient 0 is f32[1], its target f32[]\n  tape  made at HERE");
    CHECK_GRADIENT(tape.gradient(y, x), 6);
  }
  check_next();
}

TEST_CASE("an output gradient of another dtype", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = x * x;
    CHECK(message_of<DTypeError>([&] { tape.gradient(y, x, GradientOptions{.output_gradients = {ones({}, f64)}}); }) ==
          "gradient: output gradient 0 is f64[], its target f32[]\n  tape  made at HERE");
    CHECK_GRADIENT(tape.gradient(y, x), 6);
  }
  check_next();
}

TEST_CASE("an integer source has no gradient, its float neighbours have", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    const Tensor i = tensor<std::int64_t>({1});
    GradientTape tape;
    tape.watch(x);
    const auto [dx, di] = tape.gradient(x * cast(i, f32), x, i);
    CHECK_GRADIENT(dx, 1);
    CHECK_FALSE(di.defined());
  }
  check_next();
}

TEST_CASE("a tape used twice", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = x * x;
    tape.gradient(y, x);
    CHECK_THROWS_AS(tape.gradient(y, x), GradError);
  }
  check_next();
}

TEST_CASE("a tape entered twice", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    GradientTape tape;
    tape.watch(x);
    CHECK_THROWS_AS(tape.start(), GradError);
    CHECK_GRADIENT(tape.gradient(x * x, x), 6);  // recorded once
  }
  check_next();
}

TEST_CASE("a tape handed to another thread", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = x * x;
    std::vector<std::string> said;
    std::thread([&] {
      const auto ask = [&](auto f) { said.push_back(message_of<GradError>(f)); };
      ask([&] { tape.gradient(y, x); });
      ask([&] { tape.watch(x); });
      ask([&] { tape.stop(); });
      ask([&] { tape.start(); });
      ask([&] { tape.reset(); });
      ask([&] { tape.explain(y, x); });
    }).join();
    CHECK(said == std::vector<std::string>(6, "a tape belongs to the thread that made it"));
    CHECK_GRADIENT(tape.gradient(y, x), 6);
  }
  check_next();
}

TEST_CASE("a function that throws midway, under nested tapes and in a custom rule", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    GradientTape outer;
    outer.watch(x);
    const auto failing = [](const Tensor& t) -> Tensor { return t * t + zeros({2}) + zeros({3}); };
    CHECK_THROWS_AS(gradient_of(failing, x), ShapeError);
    const auto rule = custom_gradient([](const Tensor& t) {
      return std::pair(t * t, [](const Tensor&) -> Tensor { throw std::out_of_range("mine"); });
    });
    CHECK_THROWS_AS(gradient_of(rule, x), std::out_of_range);
    CHECK_GRADIENT(outer.gradient(x * x, x), 6);
  }
  check_next();
}

TEST_CASE("a tape whose rule threw is used up, and holds nothing", "[tape][bad-input]") {
  const NoLeaks guard;
  {
    const auto rule = custom_gradient([](const Tensor& t) {
      return std::pair(t * t, [](const Tensor&) -> Tensor { throw std::out_of_range("mine"); });
    });
    GradientTape tape;
    tape.watch(x);
    const auto before = live_tensors();
    Tensor y = rule(exp(x) * 2);
    CHECK_THROWS_AS(tape.gradient(y, x), std::out_of_range);
    y = {};
    CHECK(live_tensors() == before);
    CHECK_THROWS_AS(tape.gradient(x, x), GradError);
  }
  check_next();
}

TEST_CASE("a function that returns an undefined tensor", "[tape][bad-input]") {
  const NoLeaks guard;
  CHECK(message_of<GradError>([] { gradient_of([](const Tensor&) { return Tensor(); }, x); }) ==
        "gradient: target 0 is undefined\n  tape  made at tests/autograd/support.h:34\n  hint: the gradient of a "
        "gradient that does not exist?");
  check_next();
}

TEST_CASE("an undefined variable as a source", "[tape][bad-input]") {
  const NoLeaks guard;
  CHECK(message_of<ArgumentError>([] {
          GradientTape tape;
          tape.gradient(x, Variable());
        }) == "gradient for an undefined variable");
  check_next();
}

TEST_CASE("two threads with a tape each do not see each other", "[tape][bad-input][threads]") {
  const NoLeaks guard;
  Variable shared(scalar(2));
  std::vector<double> results(4);
  std::vector<std::size_t> sizes(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < results.size(); ++t)
    threads.emplace_back([&, t] {
      GradientTape tape;
      Tensor y = shared.value();
      for (std::size_t i = 0; i < 50; ++i) y = y * 1.0;
      for (std::size_t i = 0; i < t; ++i) y = y * shared;
      sizes[t] = tape.size();
      results[t] = tape.gradient(y, shared).item();
    });
  for (std::thread& t : threads) t.join();
  CHECK(results == std::vector<double>{1, 4, 12, 32});
  CHECK(sizes == std::vector<std::size_t>{50, 51, 52, 53});
}
