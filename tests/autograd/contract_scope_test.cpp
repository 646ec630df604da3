// A tape's contract: what is watched, and when it records.
#include "support.h"

using namespace weft;
using namespace weft::test;

// ---- recording ----
TEST_CASE("An op under stop_recording has no gradient", "[tape][1.5.28]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  Tensor y;
  {
    const auto pause = tape.stop_recording();
    y = x * x;
  }
  CHECK_FALSE(tape.gradient(y, x).defined());
}

TEST_CASE("After a stopped section the tape goes on", "[tape][1.5.29]") {
  const NoLeaks guard;
  const Tensor x = scalar(2);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  Tensor y;
  {
    const auto pause = tape.stop_recording();
    CHECK_FALSE(tape.recording());
    y = x * x;
  }
  CHECK(tape.recording());
  const Tensor z = x * x;
  CHECK_FALSE(tape.gradient(y, x).defined());
  CHECK_GRADIENT(tape.gradient(z, x), 4);
}

TEST_CASE("A reset tape has forgotten what came before", "[tape][1.5.30]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  GradientTape tape;
  Tensor loss = v * v;
  tape.reset();
  loss = loss + v * v;
  CHECK_GRADIENT(tape.gradient(loss, v), 2);
}

TEST_CASE("gradient inside the tape's scope works for both kinds of tape", "[tape][1.5.35]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  for (bool persistent : {false, true}) {
    GradientTape tape({.persistent = persistent});
    const Tensor loss = v * v;
    REQUIRE(tape.recording());
    CHECK_GRADIENT(tape.gradient(loss, v), 2);
    CHECK(tape.recording() == persistent);
  }
}

TEST_CASE("A tape that is recording can't be entered again", "[tape][1.5.36]") {
  const NoLeaks guard;
  GradientTape tape;
  CHECK(message_of<GradError>([&] { tape.start(); }) == "the tape is still recording\n  hint: stop() it first");
  CHECK(tape.recording());
}

TEST_CASE("A tape entered again goes on with the same recording", "[tape][1.5.51]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = 2 * x;
  tape.stop();
  tape.start();
  const Tensor z = 2 * y;
  CHECK_GRADIENT(tape.gradient(z, x), 4);
}

TEST_CASE("A tape that is not persistent is asked once", "[tape][1.5.59]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x, z = y * y;
  CHECK_GRADIENT(tape.gradient(z, x), 108);
  CHECK(message_of<GradError>([&] { tape.gradient(y, x); }) ==
        "gradient: it can only be called once on a tape that is not persistent\n  tape  made at HERE\n"
        "  hint: GradientTape tape({.persistent = true})");
}

TEST_CASE("A persistent tape answers for every target", "[tape][1.5.60]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = x * x, z = y * y;
  CHECK_GRADIENT(tape.gradient(z, x), 108);
  CHECK_GRADIENT(tape.gradient(y, x), 6);
}

TEST_CASE("A function that throws under the tape spoils no later gradient", "[tape][1.5.84]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  struct Midway {};
  const auto failing = [](const Tensor& t) -> Tensor {
    const Tensor used = t * t;
    throw Midway();
  };
  CHECK_THROWS_AS(gradient_of(failing, x), Midway);
  CHECK(active_recorders().empty());
  CHECK_GRADIENT(gradient_of([](const Tensor& t) { return t * t; }, x), 6);
}

// ---- watching ----
TEST_CASE("(gradient, variable) pairs come in the order of the members, variables in that of construction",
          "[tape][1.5.15]") {
  const NoLeaks guard;
  Variable v0(scalar(1)), v1(scalar(2));
  GradientTape tape;
  const Tensor y = v1 * v1 + v0 * v1;
  CHECK(tape.watched_variables() == std::vector{v0.state(), v1.state()});
  const auto [g0, g1] = tape.gradient(y, v0, v1);
  CHECK_GRADIENT(g0, 2);
  CHECK_GRADIENT(g1, 5);
}

TEST_CASE("Reading a trainable variable watches it, and reset forgets that", "[tape][1.5.32]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  GradientTape tape;
  CHECK(tape.watched_variables().empty());
  v.value();
  CHECK(tape.watched_variables() == std::vector{v.state()});
  tape.reset();
  CHECK(tape.watched_variables().empty());
  v * 2;
  CHECK(tape.watched_variables() == std::vector{v.state()});
}

TEST_CASE("watch() watches a variable, and reset forgets that", "[tape][1.5.33]") {
  const NoLeaks guard;
  Variable v(scalar(1), false);
  GradientTape tape;
  tape.watch(v);
  CHECK(tape.watched_variables() == std::vector{v.state()});
  tape.reset();
  CHECK(tape.watched_variables().empty());
  tape.watch(v);
  CHECK(tape.watched_variables() == std::vector{v.state()});
}

TEST_CASE("Watching is a tape's own", "[tape][1.5.38]") {
  const NoLeaks guard;
  const Tensor x1 = scalar(2), x2 = scalar(3);
  GradientTape outer;
  outer.watch(x1);
  Tensor d1, d2;
  {
    GradientTape inner;
    inner.watch(x1, x2);
    std::tie(d1, d2) = inner.gradient(x1 * x1 * x1 + x2 * x2, x1, x2);
  }
  CHECK_GRADIENT(d1, 12);
  CHECK_GRADIENT(d2, 6);
  const auto [dd1, dd2] = outer.gradient(std::tuple(d1, d2), x1, x2);
  CHECK_GRADIENT(dd1, 12);
  CHECK_FALSE(dd2.defined());
}

TEST_CASE("Where variables are not watched by themselves only the named ones are", "[tape][1.5.95]") {
  const NoLeaks guard;
  Variable x1(scalar(2)), x2(scalar(3));
  GradientTape tape({.watch_accessed_variables = false});
  tape.watch(x2);
  const auto [d1, d2] = tape.gradient(x1 * x1 + 3 * x2, x1, x2);
  CHECK_FALSE(d1.defined());
  CHECK_GRADIENT(d2, 3);
  CHECK(tape.watched_variables() == std::vector{x2.state()});
}

namespace {
template <class T>
concept CanBeWatched = requires(GradientTape& tape, const T& x) {
  tape.watch(x);
};
struct Bag {  // holds no tensor
  int n = 0;
};
}  // namespace

TEST_CASE("What holds no tensor can't be watched, and what is undefined is refused", "[tape][1.5.103]") {
  static_assert(CanBeWatched<Tensor> && CanBeWatched<Variable> && CanBeWatched<std::vector<Tensor>>);
  static_assert(!CanBeWatched<double> && !CanBeWatched<std::vector<float>> && !CanBeWatched<Bag>);
  const NoLeaks guard;
  GradientTape tape;
  CHECK(message_of<ArgumentError>([&] { tape.watch(Tensor()); }) == "watch of an undefined tensor");
  CHECK(message_of<ArgumentError>([&] { tape.watch(Variable()); }) == "watch of an undefined variable");
}

namespace {
struct Sparse {
  Tensor indices, values;
  WEFT_MEMBERS(indices, values)
};
}  // namespace

TEST_CASE("Watching a composite watches its parts of float type", "[tape][1.5.104]") {
  const NoLeaks guard;
  const Sparse s{tensor<std::int64_t>({0, 2}), tensor({5, 7})};
  GradientTape tape;
  tape.watch(s.values);
  const Sparse g = tape.gradient(scatter_add(zeros({3}), s.indices, s.values), s);
  CHECK_GRADIENT(g.values, 1, 1);
  CHECK_FALSE(g.indices.defined());
}

TEST_CASE("Watched variables can still be listed after the gradient", "[tape][1.5.105]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  GradientTape tape;
  const Tensor y = v * v;
  tape.gradient(y, v);
  CHECK(tape.watched_variables() == std::vector{v.state()});
}

TEST_CASE("A tape begun anew after its gradient lists the new variables only", "[tape][1.5.106]") {
  const NoLeaks guard;
  Variable v1(scalar(1)), v2(scalar(2));
  GradientTape tape;
  tape.gradient(v1 * v1, v1);
  tape.start();
  CHECK_GRADIENT(tape.gradient(v2 * v2, v2), 4);
  CHECK(tape.watched_variables() == std::vector{v2.state()});
}

TEST_CASE("Watched variables do not outlive a reset", "[tape][1.5.107]") {
  const NoLeaks guard;
  Variable v1(scalar(1)), v2(scalar(2));
  GradientTape tape;
  v1* v1;
  CHECK(tape.watched_variables() == std::vector{v1.state()});
  tape.reset();
  CHECK(tape.watched_variables().empty());
  v2* v2;
  CHECK(tape.watched_variables() == std::vector{v2.state()});
}
