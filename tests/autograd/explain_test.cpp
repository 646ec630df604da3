// GradientTape::explain: each reason for an undefined gradient, as a golden text. The five documented causes of the
// contract (1.2) carry its number.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
template <class T, class S> std::string why(GradientTape& tape, const T& target, const S& source) {
  return without_lines(tape.explain(target, source));
}
}  // namespace

TEST_CASE("cause 1: a variable was replaced by a tensor", "[explain][1.2.1]") {
  const NoLeaks guard;
  Variable v(scalar(2), true, "v");
  Tensor x = v;  // read here once, and never the variable again
  for (int epoch = 0; epoch < 2; ++epoch) {
    GradientTape tape;
    const Tensor y = x * x;
    CHECK(why(tape, y, x) == (epoch ? "no gradient: the source f32[] was never watched\n"
                                    : "no gradient: the source f32[] \"v\" was never watched\n") +
                                 std::string("  hint: a tensor, also one that took a variable's place, needs "
                                             "tape.watch(x) before its use\n"));
    CHECK(why(tape, y, v) ==
          "no gradient: the variable f32[] \"v\" was never read while the tape recorded\n"
          "  hint: was a tensor read before used in its place, or is it a copy? std::tie(a, b) makes none\n");
    CHECK_FALSE(tape.gradient(y, x).defined());
    x = x + 1;
  }
}

TEST_CASE("cause 2: the computation left for the host", "[explain][1.2.2]") {
  const NoLeaks guard;
  const Tensor x = tensor({1, 2});
  GradientTape tape;
  tape.watch(x);
  const std::vector<float> host = (x * x).to_vector<float>();
  const Tensor y = mean(from_vector(host));
  CHECK(why(tape, y, x) ==
        "no gradient: the target f32[] was not computed from anything that the tape watches\n"
        "  hint: numbers read by item() or to_vector() leave the tape; ops on them are not recorded\n");
  CHECK_FALSE(tape.gradient(y, x).defined());
}

TEST_CASE("cause 3: an integer on the path, or at its ends", "[explain][1.2.3]") {
  const NoLeaks guard;
  const Tensor x = tensor({1.5, 2.5}), i = tensor<std::int32_t>({1, 2});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = cast(cast(x * 2, i32) + 1, f32) * 3;
  CHECK(why(tape, y, x) ==
        "no gradient: each path from the source f32[2] to the target f32[2] breaks\n"
        "  mul at HERE\n"
        "  cast (dtype=i32) at HERE: it gives no float, and only floats have gradients\n");
  CHECK(why(tape, x * 1, i) == "no gradient: the source i32[2] is no float, and only floats have gradients\n");
  CHECK(why(tape, cast(x, i32), x) == "no gradient: the target i32[2] is no float, and only floats have gradients\n");
  CHECK_FALSE(tape.gradient(y, x).defined());
}

TEST_CASE("cause 4: state stops gradients", "[explain][1.2.4]") {
  const NoLeaks guard;
  const Tensor x0 = scalar(3);
  Variable x1(scalar(0), true, "x1"), counter(scalar(0), false, "counter");
  GradientTape tape({.persistent = true});
  tape.watch(x0);
  x1.assign_add(x0);
  const Tensor y = square(x1);
  CHECK(why(tape, y, x0) ==
        "no gradient: each path from the source f32[] to the target f32[] breaks\n"
        "  add at HERE\n"
        "  assign at HERE: state stops gradients; what is read after it depends on the variable \"x1\" alone\n");
  CHECK_FALSE(tape.gradient(y, x0).defined());
  CHECK_GRADIENT(tape.gradient(y, x1), 6);
  counter.assign(x0 * 2);
  CHECK(why(tape, counter * 3, x0) ==
        "no gradient: each path from the source f32[] to the target f32[] breaks\n"
        "  mul at HERE\n"
        "  assign at HERE: state stops gradients; what is read after it depends on the variable alone\n");
}

TEST_CASE("cause 5: an op on the path is not differentiable", "[explain][1.2.5]") {
  const NoLeaks guard;
  const Tensor x = tensor({1, 5, 2});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  CHECK(why(tape, cast(argmax(x, 0), f32), x) ==
        "no gradient: each path from the source f32[3] to the target f32[] breaks\n"
        "  argmax at HERE: it is not differentiable\n");
  const Tensor a = ones({3}), b = zeros({3});
  CHECK(why(tape, where(x > 2, a, b), x) ==
        "no gradient: each path from the source f32[3] to the target f32[3] breaks\n"
        "  greater at HERE: it is not differentiable\n");
}

TEST_CASE("stop_gradient is named, with the way to it", "[explain]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor kept = exp(-x);
  const Tensor y = stop_gradient(kept) + 1;
  CHECK(why(tape, y, x) ==
        "no gradient: each path from the source f32[] to the target f32[] breaks\n"
        "  neg at HERE\n  exp at HERE\n"
        "  stop_gradient at HERE: it stops gradients, as asked\n");
}

TEST_CASE("several broken paths are all shown, a whole one wins", "[explain]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor stopped = stop_gradient(x), whole = cast(x, i64);
  const Tensor y = stopped * cast(whole, f32);
  CHECK(why(tape, y, x) ==
        "no gradient: each path from the source f32[] to the target f32[] breaks\n"
        "  stop_gradient at HERE: it stops gradients, as asked\n\n"
        "  cast (dtype=i64) at HERE: it gives no float, and only floats have gradients\n");
  CHECK(why(tape, y + x, x) == "there is a gradient from the source f32[] to the target f32[]\n  add at HERE\n");
}

TEST_CASE("a long path is cut in the middle", "[explain]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  Tensor y = x;
  for (int i = 0; i < 100; ++i) y = -y;
  const std::string text = why(tape, stop_gradient(y), x);
  CHECK(text.find("\n  ... 89 more ops\n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 14);
}

TEST_CASE("what was computed outside the recording is said to be", "[explain]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), before = x * x;
  GradientTape tape({.persistent = true});
  tape.watch(x);
  CHECK(why(tape, before, x) == "no gradient: the target f32[] was made before the tape recorded\n");
  Tensor paused;
  {
    const auto pause = tape.stop_recording();
    paused = x * x;
  }
  CHECK(why(tape, paused, x) == "no gradient: the target f32[] was made while the tape was stopped\n");
  const Tensor later = paused * 2;  // recorded time, but what it is made of is not on the tape
  CHECK(why(tape, later, x) ==
        "no gradient: the target f32[] was not computed from anything that the tape watches\n"
        "  hint: numbers read by item() or to_vector() leave the tape; ops on them are not recorded\n"
        "  hint: the tape was stopped meanwhile; what ran then it did not see\n");
  tape.stop();
  CHECK(why(tape, x * x, x) == "no gradient: the target f32[] was made after the tape had stopped\n");
}

TEST_CASE("a target that depends on others only", "[explain]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), z = scalar(2);
  GradientTape tape;
  tape.watch(x, z);
  CHECK(why(tape, z * z, x) == "no gradient: the target f32[] depends on other sources, not on this one\n");
}

TEST_CASE("variables that no one watches", "[explain]") {
  const NoLeaks guard;
  Variable v(scalar(2), true, "v"), fixed(scalar(2), false, "fixed");
  GradientTape tape({.watch_accessed_variables = false});
  const Tensor y = v * fixed;
  CHECK(why(tape, y, v) ==
        "no gradient: the variable f32[] \"v\" was never watched, and this tape watches none by itself\n"
        "  hint: tape.watch(v)\n");
  CHECK(why(tape, y, fixed) ==
        "no gradient: the variable f32[] \"fixed\" is not trainable, and was never watched\n  hint: tape.watch(v)\n");
}

TEST_CASE("a tape that was used says so; before it explains without being used", "[explain]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x;
  for (int i = 0; i < 2; ++i)
    CHECK(why(tape, y, x) == "there is a gradient from the source f32[] to the target f32[]\n  mul at HERE\n");
  CHECK(tape.recording());
  CHECK_GRADIENT(tape.gradient(y, x), 6);
  CHECK(
      why(tape, y, x) ==
      "no gradient: the tape is already used: gradient() was called on it, it is not persistent, and its recording is "
      "gone\n  hint: GradientTape tape({.persistent = true}), or explain() before gradient()\n");
}

TEST_CASE("a custom rule that gives none is named", "[explain]") {
  const NoLeaks guard;
  const auto f = custom_gradient([](const Tensor& a, const Tensor& b) {
    return std::pair(a * b, [b](const Tensor& dy) { return std::tuple(dy * b, Tensor()); });
  });
  const Tensor x = scalar(3), z = scalar(2);
  GradientTape tape;
  tape.watch(x, z);
  const Tensor y = f(-x, exp(z)) * 2;
  CHECK(why(tape, y, z) ==
        "no gradient: a rule from the source f32[] to the target f32[] gives none\n"
        "  exp at HERE\n"
        "  custom_gradient at HERE: its rule gives none for input 1\n");
  CHECK(why(tape, y, x).find("there is a gradient") == 0);
}

namespace {
struct Pair {
  Variable used, unused;
  WEFT_MEMBERS(used, unused)
};
}  // namespace

TEST_CASE("of a model each variable is explained", "[explain]") {
  const NoLeaks guard;
  const Pair model{Variable(scalar(2), true, "used"), Variable(scalar(3), true, "unused")};
  GradientTape tape;
  const Tensor y = model.used * 2;
  CHECK(why(tape, y, model) ==
        "there is a gradient from the source f32[] \"used\" to the target f32[]\n  mul at HERE\n"
        "no gradient: the variable f32[] \"unused\" was never read while the tape recorded\n"
        "  hint: was a tensor read before used in its place, or is it a copy? std::tie(a, b) makes none\n");
}

TEST_CASE("explaining is no op: no recorder sees it, no tensor stays", "[explain]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape outer;
  outer.watch(x);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = exp(x);
  const auto ops = outer.size(), tensors = static_cast<std::size_t>(live_tensors());
  tape.explain(y, x);
  CHECK(outer.size() == ops);
  CHECK(tape.size() == ops);
  CHECK(static_cast<std::size_t>(live_tensors()) == tensors);
}

TEST_CASE("an undefined target or source is said to be", "[explain]") {
  const NoLeaks guard;
  GradientTape tape;
  CHECK(tape.explain(Tensor(), scalar(1)) == "no gradient: the target is undefined\n");
  CHECK(tape.explain(scalar(1), Tensor()) == "no gradient: the source is undefined\n");
}

TEST_CASE("explain agrees with gradient on random graphs", "[explain][property]") {
  const NoLeaks guard;
  Random random(11);
  const auto withholds = custom_gradient([](const Tensor& a, const Tensor& b) {
    return std::pair(a + b, [](const Tensor& dy) { return std::tuple(dy, Tensor()); });
  });
  int with = 0, without = 0;
  for (int round = 0; round < 300; ++round) {
    Variable v(scalar(2)), state(scalar(1));
    const Tensor x = scalar(3), never = scalar(4);
    GradientTape tape({.persistent = true});
    tape.watch(x);
    std::vector<Tensor> pool{x, v, never};
    const auto pick = [&] {
      return pool[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(pool.size())))];
    };
    for (int i = 0; i < 12; ++i) {
      const Tensor a = pick(), b = pick();
      switch (random.below(9)) {
        case 0: pool.push_back(a * b); break;
        case 1: pool.push_back(-a); break;
        case 2: pool.push_back(stop_gradient(a)); break;
        case 3: pool.push_back(cast(cast(a, i32), f32)); break;
        case 4: pool.push_back(where(a > b, a, 1)); break;
        case 5: pool.push_back(withholds(a, b)); break;
        case 6: pool.push_back(state.assign(a).value()); break;
        case 7: {
          const auto pause = tape.stop_recording();
          pool.push_back(a + b);
          break;
        }
        case 8: pool.push_back(a + b); break;
      }
    }
    tape.stop();
    for (const Tensor& y : {pool.back(), pool[pool.size() / 2], pick()}) {
      const auto check = [&](const auto& source) {
        const bool exists = tape.gradient(y, source).defined();
        const std::string text = tape.explain(y, source);
        INFO(text);
        CHECK((text.find("there is a gradient") == 0) == exists);
        CHECK((text.find("no gradient: ") == 0) == !exists);
        ++(exists ? with : without);
      };
      check(x);
      check(v);
      check(state);
      check(never);
      check(pick());
    }
  }
  CHECK(with > 300);
  CHECK(without > 300);
}
