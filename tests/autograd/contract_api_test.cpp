// The tape's and the variable's interface, where no other contract_*_test.cpp covers it.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
const GradientOptions zero{.unconnected = Unconnected::zero};
}

// ---- 1.1 ----
TEST_CASE("A variable that is not trainable is watched only when asked", "[tape][1.1]") {
  const NoLeaks guard;
  Variable v(scalar(2)), fixed(scalar(3), false);
  GradientTape tape({.persistent = true});
  CHECK_FALSE(tape.gradient(v * fixed, fixed).defined());
  CHECK(tape.watched_variables() == std::vector{v.state()});
  tape.watch(fixed);
  CHECK_GRADIENT(tape.gradient(v * fixed, fixed), 2);
}

TEST_CASE("Watching an integer warns, five times a process, and is no error", "[tape][1.1]") {
  const NoLeaks guard;
  detail::forget_tape_warnings();
  const std::string warnings = written_by([] {
    GradientTape tape;
    for (int i = 0; i < 7; ++i) tape.watch(tensor<std::int32_t>({1, 2}));
  });
  CHECK(std::count(warnings.begin(), warnings.end(), '\n') == 5);
  CHECK(warnings.find("weft: warning: watch: i32[2] has no gradient; only float tensors have\n") == 0);
}

TEST_CASE("Casts between floats are differentiable", "[tape][1.1]") {
  const NoLeaks guard;
  const Tensor g = gradient_of([](const Tensor& x) { return cast(cast(x, f64), f32) * 3; }, tensor({1, 5}));
  CHECK_GRADIENT(g, 3, 3);
  CHECK(g.dtype() == f32);
}

TEST_CASE("An output gradient may be left undefined: ones", "[tape][1.1]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = scalar(2);
  GradientTape tape;
  tape.watch(x, y);
  const GradientOptions weights{.output_gradients = {Tensor(), scalar(5)}};
  CHECK_GRADIENT(tape.gradient(std::tuple(x * y, identity(x)), x, weights), 2 + 5);
}

TEST_CASE("A target that is a variable is read first", "[tape][1.1]") {
  const NoLeaks guard;
  Variable v(scalar(3));
  GradientTape tape({.persistent = true});
  CHECK_GRADIENT(tape.gradient(v, v), 1);
  tape.stop();
  CHECK_GRADIENT(tape.gradient(v, v), 1);
}

TEST_CASE("Zeros for the unconnected have the source's type, in its structure", "[tape][1.1]") {
  const NoLeaks guard;
  const Tensor x = ones({2}), unwatched = ones({3}, f64), whole = tensor<std::int32_t>({1, 2});
  GradientTape tape;
  tape.watch(x);
  const auto [dx, rest] = tape.gradient(x * 2, x, std::pair(unwatched, std::vector{whole, Tensor()}), zero);
  CHECK_GRADIENT(dx, 2, 2);
  CHECK_SAME(rest.first, zeros({3}, f64));
  CHECK_SAME(rest.second[0], zeros({2}, i32));
  CHECK_FALSE(rest.second[1].defined());  // of what type?
}

TEST_CASE("gradient inside the scope of a tape that is not persistent is not recorded", "[tape][1.1]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor dx = tape.gradient(x * x * x, x);
  CHECK(tape.size() == 0);
  CHECK(tape.bytes() < 1000);  // freed at the call
  CHECK_FALSE(tape.recording());
  CHECK_THROWS_AS(tape.gradient(dx, x), GradError);
}

TEST_CASE("gradient inside the scope of a persistent tape warns once", "[tape][1.1]") {
  const NoLeaks guard;
  detail::forget_tape_warnings();
  const std::string warnings = written_by([] {
    const Tensor x = scalar(3);
    for (int i = 0; i < 3; ++i) {
      GradientTape tape({.persistent = true});
      tape.watch(x);
      tape.gradient(tape.gradient(x * x * x, x), x);
    }
  });
  const std::string wanted =
      "weft: warning: gradient() of a persistent tape within its scope records the gradient's ops too: stop() the tape "
      "first if no higher derivative is wanted; the tape was made at tests/autograd/contract_api_test.cpp:";
  CHECK(warnings.substr(0, wanted.size()) == wanted);
  CHECK(warnings.find_first_not_of("0123456789", wanted.size()) == warnings.size() - 1);  // a line's number and its end
  const std::string outside = written_by([] {
    detail::forget_tape_warnings();
    const Tensor x = scalar(3);
    GradientTape tape({.persistent = true});
    tape.watch(x);
    const Tensor y = x * x;
    tape.stop();
    tape.gradient(y, x);
  });
  CHECK(outside == "");
}

TEST_CASE("A tape that is not recording can't be stopped", "[tape][1.1]") {
  const NoLeaks guard;
  GradientTape tape;
  {
    const auto pause = tape.stop_recording();
    CHECK(message_of<GradError>([&] { (void)tape.stop_recording(); }) == "the tape is not recording");
  }
  CHECK(tape.recording());
  tape.stop();
  CHECK(message_of<GradError>([&] { tape.stop(); }) == "the tape is not recording");
}

TEST_CASE("reset ends and begins the recording: history and watched variables are gone", "[tape][1.1]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  GradientTape tape({.persistent = true});
  const Tensor loss = v * v;
  tape.reset();
  CHECK(tape.recording());
  CHECK(tape.size() == 0);
  CHECK_FALSE(tape.gradient(loss, v).defined());
  tape.stop();
  tape.reset();
  CHECK(tape.recording());
  CHECK_GRADIENT(tape.gradient(v * v, v), 2);
}

TEST_CASE("Independent tapes over the same ops give independent gradients", "[tape][1.1]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = scalar(4);
  GradientTape first({.persistent = true});
  first.watch(x);
  GradientTape second;
  second.watch(y);
  const Tensor z = x * y;
  CHECK_GRADIENT(second.gradient(z, y), 3);
  CHECK_GRADIENT(first.gradient(z, x), 4);
  CHECK_FALSE(first.gradient(z, y).defined());
}

TEST_CASE("stop_gradient stops its own path and no other", "[tape][1.1]") {
  const NoLeaks guard;
  const auto f = [](const Tensor& x) { return stop_gradient(x) * x; };
  CHECK_GRADIENT(gradient_of(f, scalar(3)), 3);
}

TEST_CASE("A condition of the host has no gradient", "[tape][1.1]") {
  const NoLeaks guard;
  Variable predicate(scalar(1)), taken(scalar(2)), other(scalar(3));
  GradientTape tape;
  const Tensor y = predicate.value().item() > 0 ? taken * 2 : other * 3;
  const auto [dp, dt, dn] = tape.gradient(y, predicate, taken, other);
  CHECK_FALSE(dp.defined());
  CHECK_GRADIENT(dt, 2);
  CHECK_FALSE(dn.defined());
}

// ---- 1.3 ----
TEST_CASE("Assigning inside a tape is no error and no path", "[variable][1.3]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  Variable v(scalar(2));
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor before = v * v;
  v.assign(x * 5).assign_add(x).assign_sub(1);  // 17
  const Tensor after = v * v;
  CHECK_FALSE(tape.gradient(after, x).defined());
  CHECK_GRADIENT(tape.gradient(before, v), 4);
  CHECK_GRADIENT(tape.gradient(after, v), 34);
  CHECK_GRADIENT(tape.gradient(std::tuple(before, after), v), 38);
}

TEST_CASE("Another variable made of one has a gradient of its own", "[variable][1.3]") {
  const NoLeaks guard;
  Variable v(scalar(2));
  GradientTape tape;
  Variable copy(v);
  const auto [dv, dcopy] = tape.gradient(copy * 3, v, copy);
  CHECK_FALSE(dv.defined());
  CHECK_GRADIENT(dcopy, 3);
}
