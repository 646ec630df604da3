// custom_gradient: rules written by hand, at orders 1 and 2, nested, and refused.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
// A rule that is wrong on purpose, so that one sees which rule ran.
const auto doubled =
    custom_gradient([](const Tensor& x) { return std::pair(x * x, [](const Tensor& dy) { return dy * 100; }); });
}  // namespace

TEST_CASE("the rule replaces the function's own gradient", "[custom]") {
  const NoLeaks guard;
  CHECK_VALUES(doubled(scalar(3)), 9);
  CHECK_GRADIENT(gradient_of(doubled, scalar(3)), 100);
  CHECK_GRADIENT(gradient_of([](auto& x) { return doubled(x) * 2 + x; }, scalar(3)), 201);
  const auto same =
      custom_gradient([](const Tensor& x) { return std::pair(x, [](const Tensor& dy) { return dy * 2; }); });
  CHECK_GRADIENT(gradient_of(same, scalar(1)), 2);
  const auto constant =
      custom_gradient([](const Tensor&) { return std::pair(ones({2}), [](const Tensor& dy) { return sum(dy); }); });
  CHECK_GRADIENT(gradient_of(constant, scalar(1)), 2);
}

TEST_CASE("several arguments and results, and variables", "[custom]") {
  const NoLeaks guard;
  const auto f = custom_gradient([](const Tensor& a, const Tensor& b) {
    return std::pair(std::tuple(a * b, a + b), [a, b](const Tensor& product, const Tensor& sum) {
      return std::tuple(product * b + sum, product * a + sum);
    });
  });
  Variable v(scalar(3));
  const Tensor x = scalar(4);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const auto [product, sum] = f(v, x);
  const auto [dv, dx] = tape.gradient(std::tuple(product, sum), v, x);
  CHECK_GRADIENT(dv, 5);
  CHECK_GRADIENT(dx, 4);
  CHECK_GRADIENT(tape.gradient(product, v), 4);  // nothing came back to the sum: zeros
  const auto list = custom_gradient([](const std::vector<Tensor>& xs) {
    return std::pair(xs[0] * xs[1], [xs](const Tensor& dy) { return std::vector{dy * xs[1], dy * xs[0]}; });
  });
  CHECK_GRADIENT(tape.gradient(list(std::vector{x, v.value()}), v), 4);
}

TEST_CASE("a rule that uses what the function computed is right at the second order", "[custom]") {
  const NoLeaks guard;
  const auto log1pexp = custom_gradient([](const Tensor& x) {
    const Tensor e = exp(x);
    return std::pair(log1p(e), [e](const Tensor& dy) { return dy * (1 - 1 / (1 + e)); });
  });
  CHECK(gradient_of(log1pexp, full({}, 100, f64)).item() == 1);
  CHECK(gradcheck(log1pexp, tensor<double>({-2, 0.3, 1.7})).message == "");
}

TEST_CASE("undefined gradients and arguments without gradient are left out", "[custom]") {
  const NoLeaks guard;
  const auto f = custom_gradient([](const Tensor& x, const Tensor& idx) {
    return std::pair(gather(x, idx), [](const Tensor& dy) { return std::tuple(concat({dy, dy}), Tensor()); });
  });
  const Tensor x = tensor({5, 7});
  GradientTape tape;
  tape.watch(x);
  CHECK_GRADIENT(tape.gradient(f(x, tensor<std::int64_t>({1})), x), 1, 1);
}

TEST_CASE("gradients of another type than the argument are refused", "[custom][bad-input.19]") {
  const NoLeaks guard;
  const auto wide =
      custom_gradient([](const Tensor& x) { return std::pair(x * 1, [](const Tensor& dy) { return cast(dy, f64); }); });
  CHECK(message_of<DTypeError>([&] { gradient_of(wide, ones({2})); }) ==
        "in the gradient of custom_gradient: the gradient for input 0 is f64[2], the input f32[2]\n  at HERE");
}

TEST_CASE("what the rule or the function throws passes through unchanged", "[custom]") {
  const NoLeaks guard;
  struct Mine : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const auto in_rule = custom_gradient(
      [](const Tensor& x) { return std::pair(x * 1, [](const Tensor&) -> Tensor { throw Mine("from the rule"); }); });
  const auto in_function = custom_gradient([](const Tensor& x) {
    if (x.rank() == 0) throw Mine("from the function");
    return std::pair(x * 1, [](const Tensor& dy) { return dy; });
  });
  CHECK_THROWS_WITH(gradient_of(in_rule, scalar(1)), "from the rule");
  CHECK_THROWS_AS(gradient_of(in_rule, scalar(1)), Mine);
  CHECK_THROWS_AS(gradient_of(in_function, scalar(1)), Mine);
  CHECK(active_recorders().empty());
  CHECK_GRADIENT(gradient_of(doubled, scalar(1)), 100);
}

TEST_CASE("a variable that the function reads must be an argument", "[custom]") {
  const NoLeaks guard;
  Variable w(scalar(2), true, "w"), fixed(scalar(3), false);
  const auto f =
      custom_gradient([&](const Tensor& x) { return std::pair(x * w, [](const Tensor& dy) { return dy; }); });
  CHECK(message_of<GradError>([&] { f(scalar(1)); }) ==
        "custom_gradient: the function reads the variable \"w\", which is none of its arguments\n"
        "  hint: pass it as an argument and return its gradient too, or make it not trainable");
  const auto g =
      custom_gradient([&](const Tensor& x) { return std::pair(x * fixed, [](const Tensor& dy) { return dy; }); });
  CHECK_VALUES(g(scalar(2)), 6);
  CHECK_THROWS_AS(g(Tensor()), ArgumentError);
}

TEST_CASE("a tape sees one op, and its rule's closure dies with it", "[custom]") {
  const NoLeaks guard;
  const Tensor x = ones({4});
  const auto f = custom_gradient([](const Tensor& t) {
    const Tensor big = stop_gradient(t) * 2;  // what is computed from it no tape records
    return std::pair(big, [big](const Tensor& dy) { return dy * big; });
  });
  GradientTape tape;
  tape.watch(x);
  const Tensor y = f(x);
  CHECK(tape.size() == 1);
  CHECK_GRADIENT(tape.gradient(y, x), 2, 2, 2, 2);
}
