// A tape's contract: rules of one's own.
#include <weft/ops/apply.h>
#include <weft/ops/define.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("A rule that returns no gradients at all is refused", "[tape][1.5.8]") {
  const NoLeaks guard;
  const auto f = custom_gradient(
      [](const Tensor& x) { return std::pair(x * 1, [](const Tensor&) { return std::vector<Tensor>(); }); });
  CHECK(message_of<GradError>([&] { gradient_of(f, scalar(1)); }) ==
        "in the gradient of custom_gradient: custom_gradient function expected to return 1 gradients but returned 0 "
        "instead\n  at HERE");
}

TEST_CASE("What a rule throws comes through unchanged", "[tape][1.5.12]") {
  const NoLeaks guard;
  struct Mine {
    int code;
  };
  const auto f = custom_gradient(
      [](const Tensor& x) { return std::pair(x * 1, [](const Tensor& dy) -> Tensor { throw Mine{dy.rank() + 7}; }); });
  try {
    gradient_of(f, scalar(1));
    FAIL("nothing thrown");
  } catch (const Mine& mine) { CHECK(mine.code == 7); }
  CHECK(active_recorders().empty());
  CHECK_GRADIENT(gradient_of([](const Tensor& x) { return x * x; }, scalar(3)), 6);
}

TEST_CASE("The function with a rule of its own may itself take gradients", "[tape][1.5.13]") {
  const NoLeaks guard;
  const auto f = custom_gradient([](const Tensor& x) {
    const Tensor g = gradient_of([](const Tensor& t) { return t * t * t; }, x);  // 3 x^2
    return std::pair(g, [x](const Tensor& dy) { return dy * 6 * x; });
  });
  CHECK_VALUES(f(scalar(2)), 12);
  CHECK_GRADIENT(gradient_of(f, scalar(2)), 12);
}

namespace {
struct Silent {  // an op whose rule answers nothing
  static constexpr auto name = "silent";
  static constexpr OpKind kind = OpKind::kernel;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static void run(const Attrs&, Views in, Views out) { copy_elements(in[0], out[0]); }
  static void vjp(Backward&) {}
};
struct Ruleless : Silent {  // differentiable, so it should have a rule
  static constexpr auto name = "ruleless";
  static constexpr std::nullptr_t vjp = nullptr;
};
}  // namespace
WEFT_DEFINE_OP(Silent);
WEFT_DEFINE_OP(Ruleless);

TEST_CASE("A rule that gives too few gradients is named", "[tape][1.5.70]") {
  const NoLeaks guard;
  CHECK(message_of<GradError>([&] { gradient_of([](const Tensor& x) { return apply<Silent>({x}); }, scalar(1)); }) ==
        "in the gradient of silent: too few gradients: the rule gives none of the 1 that are wanted");
}

TEST_CASE("An op on a float path without a rule is an error, never silence", "[tape][1.1]") {
  const NoLeaks guard;
  const auto f = [](const Tensor& x) { return apply<Ruleless>({x}); };
  CHECK(message_of<GradError>([&] { gradient_of(f, scalar(1)); }) ==
        "in the gradient of ruleless: the op has no gradient rule\n"
        "  hint: give its struct a vjp, or say `differentiable = false`");
  GradientTape tape;  // where no gradient comes back to it, it does no harm
  const Tensor x = scalar(1);
  tape.watch(x);
  const Tensor unused = f(x);
  CHECK_GRADIENT(tape.gradient(x * 2, x), 2);
}

TEST_CASE("A custom square under a tape that reads the variable before and after", "[tape][1.5.89]") {
  const NoLeaks guard;
  const auto square_twice =
      custom_gradient([](const Tensor& x) { return std::pair(x * x, [x](const Tensor& dr) { return 2 * dr * x; }); });
  Variable v(scalar(3));
  GradientTape tape;
  const Tensor before = v.value();
  const Tensor y = square_twice(v) + before;
  CHECK_GRADIENT(tape.gradient(y, v), 2 * 3 + 1);
}

TEST_CASE("Five steps on a product with a rule of its own", "[tape][1.5.91]") {
  const NoLeaks guard;
  const auto product = custom_gradient([](const Tensor& a, const Tensor& b) {
    return std::pair(a * b, [a, b](const Tensor& dy) { return std::pair(dy * b, dy * a); });
  });
  Variable v(scalar(4));
  std::vector<double> losses;
  for (int i = 0; i < 5; ++i) {
    GradientTape tape;
    const Tensor loss = product(v, scalar(1));
    losses.push_back(loss.item());
    v.assign_sub(tape.gradient(loss, v));
  }
  CHECK(losses == std::vector<double>{4, 3, 2, 1, 0});
}

TEST_CASE("A function that returns its argument has the rule's gradient, not the identity's", "[tape][1.5.92]") {
  const NoLeaks guard;
  const auto f = custom_gradient([](const Tensor& x) { return std::pair(x, [](const Tensor& dy) { return dy * 2; }); });
  CHECK_GRADIENT(gradient_of(f, scalar(1)), 2);
}

TEST_CASE("A rule replaces the function's own gradient", "[tape][1.5.99]") {
  const NoLeaks guard;
  const auto f =
      custom_gradient([](const Tensor& x) { return std::pair(x * x, [](const Tensor& dy) { return dy * 4; }); });
  CHECK_GRADIENT(gradient_of(f, scalar(10)), 4);
}

TEST_CASE("A rule inside a rule is the second order", "[tape][1.5.100]") {
  const NoLeaks guard;
  const auto first = custom_gradient(
      [](const Tensor& x) { return std::pair(0 * x - 1.1, [](const Tensor& ddy) { return ddy * -2.1; }); });
  const auto f = custom_gradient(
      [&](const Tensor& x) { return std::pair(x * x, [x, first](const Tensor& dy) { return dy * first(x); }); });
  const Tensor x = full({}, 3, f64);
  GradientTape outer;
  outer.watch(x);
  const Tensor dx = gradient_of(f, x);
  CHECK(dx.item() == Approx(-1.1));
  CHECK(outer.gradient(dx, x).item() == Approx(-2.1));
  // and a rule written in ops has the second order that calculus says
  const auto log1pexp = custom_gradient([](const Tensor& t) {
    const Tensor e = exp(t);
    return std::pair(log1p(e), [e](const Tensor& dy) { return dy * (1 - 1 / (1 + e)); });
  });
  const Tensor s = sigmoid(x);
  GradientTape tape;
  tape.watch(x);
  CHECK_NEAR(tape.gradient(gradient_of(log1pexp, x), x), s * (1 - s), 1e-12);
}

TEST_CASE("Forward derivatives come from the gradient of the gradient, to order three", "[tape][1.5.101]") {
  const NoLeaks guard;
  const auto third = custom_gradient(
      [](const Tensor& x) { return std::pair(0 * x + 2.2, [](const Tensor& dy) { return 3.1 * dy; }); });
  const auto second = custom_gradient([third](const Tensor& x) {
    return std::pair(0 * x + 2.1, [x, third](const Tensor& dy) { return dy * third(x); });
  });
  const auto f = custom_gradient(
      [second](const Tensor& x) { return std::pair(2 * x, [x, second](const Tensor& dy) { return dy * second(x); }); });
  // jvp(f)(x) = d/dw of the pullback of w: the pullback is linear in w.
  const auto jvp = [](auto g) {
    return [g](const Tensor& x) {
      const Tensor w = ones({}, f64);
      GradientTape outer;
      outer.watch(w);
      GradientTape inner;
      inner.watch(x);
      const Tensor pulled = inner.gradient(g(x), x, GradientOptions{.output_gradients = {w}});
      return outer.gradient(pulled, w);
    };
  };
  const Tensor x = full({}, 1, f64);
  CHECK(jvp(f)(x).item() == Approx(2.1));
  CHECK(jvp(jvp(f))(x).item() == Approx(2.2));
  CHECK(jvp(jvp(jvp(f)))(x).item() == Approx(3.1));
}

TEST_CASE("Errors in a gradient carry the op and the line of its forward call", "[tape][1.5.108]") {
  const NoLeaks guard;
  const auto bad = custom_gradient([](const Tensor& t) {
    return std::pair(t * 2, [](const Tensor& dy) { return matmul(dy, ones({3, 3})); });
  });
  CHECK(message_of<ShapeError>([&] {
          gradient_of(bad, ones({2, 2}));
        }) ==
        "in the gradient of custom_gradient: matmul: inner dimensions differ: [2, 2] x [3, 3] (2 vs 3)\n"
        "  lhs  f32[2, 2]\n  rhs  f32[3, 3]\n  at HERE");
}
