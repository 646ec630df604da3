// vmap, jacobians and hessians with compile, either way round.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

const Tensor xs = tensor<double>({{0.5, -1.0, 2.0}, {0.25, 1.5, -0.75}});
const Tensor x0 = tensor<double>({0.5, -1.0, 2.0});

Tensor f(const Tensor& x) { return tanh(x) * sum(x * x); }        // [3] -> [3]
Tensor loss(const Tensor& x) { return sum(exp(x) * square(x)); }  // [3] -> []

}  // namespace

TEST_CASE("vmap inside compile and outside it gives the eager bits", "[vmap]") {
  const Tensor eager = vmap(f)(xs);
  auto inside = compile([](const Tensor& x) { return vmap(f)(x); });
  CHECK_SAME(inside(xs), eager);
  auto compiled = compile(f);
  CHECK_SAME(vmap([&](const Tensor& x) { return compiled(x); })(xs), eager);
}

TEST_CASE("random numbers under vmap are the same bits compiled", "[vmap]") {
  random::Generator a(5), b(5);
  const auto noise = [](random::Generator& g) {
    return [&g](const Tensor& x) {
      return vmap([&](const Tensor& e) {
        return e + random::normal({3}, 0, 1, f64, g) * random::uniform({}, 0, 1, f64, g);
      })(x);
    };
  };
  auto compiled = compile(noise(a));
  for (int i = 0; i < 3; ++i) CHECK_SAME(compiled(xs), noise(b)(xs));
  CHECK_SAME(a.state.value(), b.state.value());
}

TEST_CASE("checks under vmap hold in compiled code, and nothing is assigned then", "[vmap]") {
  Variable calls(full({}, 0.0));
  auto pick = compile([&](const Tensor& table, const Tensor& index) {
    calls.assign_add(1);
    return vmap([](const Tensor& t, const Tensor& i) { return gather(t, i); })(table, index);
  });
  CHECK_VALUES(pick(xs, tensor<std::int64_t>({2, -3})), 2, 0.25);
  CHECK_THROWS_AS(pick(xs, tensor<std::int64_t>({0, 3})), IndexError);
  CHECK(calls.value().item() == 1);
}

TEST_CASE("jacobians of the tape are the same compiled", "[tape][1.5.112][1.5.113][1.5.120][1.5.121]") {
  for (const bool vectorized : {true, false}) {
    const auto of_tape = [&](const Tensor& x, const Tensor& y) {
      GradientTape tape({.persistent = true});
      tape.watch(x, y);
      const Tensor z = x * x * y;
      const auto [dx, dy] = tape.jacobian(z, x, y, JacobianOptions{.vectorized = vectorized});
      return std::tuple(dx, dy, tape.batch_jacobian(z, x, {.vectorized = vectorized}));
    };
    const Tensor ys = xs + 1;
    const auto [dx, dy, rows] = of_tape(xs, ys);
    auto compiled = compile(of_tape);
    const auto [cx, cy, c_rows] = compiled(xs, ys);
    CHECK_SAME(cx, dx);
    CHECK_SAME(cy, dy);
    CHECK_SAME(c_rows, rows);
  }
}

TEST_CASE("jacobian, hessian and compile in either order", "[jacobian][forward][1.6.41]") {
  auto compiled_f = compile(f), compiled_loss = compile(loss);
  const auto call_f = [&](const Tensor& x) { return compiled_f(x); };
  const auto call_loss = [&](const Tensor& x) { return compiled_loss(x); };
  auto jacobian_inside = compile([](const Tensor& x) { return jacobian(f)(x); });
  auto hessian_inside = compile([](const Tensor& x) { return hessian(loss)(x); });
  CHECK_NEAR(jacobian_inside(x0), jacobian(f)(x0), 1e-15);
  CHECK_NEAR(jacobian(call_f)(x0), jacobian(f)(x0), 1e-15);
  CHECK_NEAR(hessian_inside(x0), hessian(loss)(x0), 1e-14);
  CHECK_NEAR(hessian(call_loss)(x0), hessian(loss)(x0), 1e-14);
}

TEST_CASE("jacobians forward and in reverse, of tall functions and wide ones, are the same compiled", "[jacobian]") {
  const auto tall = [](const Tensor& x) { return concat({f(x), sin(x), x * x, exp(x)}); };
  const auto wide = [](const Tensor& x) { return sum(reshape(x, {2, 3}) * sum(sin(x)), 1); };
  const Tensor x6 = tensor<double>({0.5, -1.0, 2.0, 0.1, 0.7, -0.4});
  for (const JacobianMode mode : {JacobianMode::forward, JacobianMode::reverse, JacobianMode::by_shape}) {
    auto compiled_tall = compile([&](const Tensor& x) { return jacobian(tall, mode)(x); });
    auto compiled_wide = compile([&](const Tensor& x) { return jacobian(wide, mode)(x); });
    CHECK_SAME(compiled_tall(x0), jacobian(tall, mode)(x0));
    CHECK_SAME(compiled_wide(x6), jacobian(wide, mode)(x6));
    auto inside = compile(tall);
    CHECK_NEAR(jacobian([&](const Tensor& x) { return inside(x); }, mode)(x0), jacobian(tall)(x0), 1e-14);
    auto batched = compile([&](const Tensor& x) { return vmap(jacobian(tall, mode))(x); });
    CHECK_NEAR(batched(xs), vmap(jacobian(tall))(xs), 1e-14);
    auto second = compile([&](const Tensor& x) { return hessian(loss, mode)(x); });
    CHECK_NEAR(second(x0), hessian(loss)(x0), 1e-13);
  }
}

TEST_CASE("a custom rule holds in the gradient of a compiled function", "[custom]") {
  const auto threefold = custom_gradient([](const Tensor& x) {
    const Tensor y = exp(x);
    return std::pair(y, [y](const Tensor& dy) { return 3 * dy * y; });
  });
  auto compiled = compile([&](const Tensor& x) { return threefold(x); });
  auto batched = compile([&](const Tensor& x) { return vmap(threefold)(x); });
  for (int i = 0; i < 2; ++i) {
    GradientTape tape;
    tape.watch(x0);
    const Tensor y = i ? batched(x0) : compiled(x0);
    CHECK_SAME(y, exp(x0));
    CHECK_NEAR(tape.gradient(y, x0), 3 * exp(x0), 1e-15);
  }
  CHECK(compiled.stats().library_calls == 0);
  CHECK(batched.stats().library_calls == 0);
  auto gradient = compile([&](const Tensor& x) {
    return vmap([&](const Tensor& e) {
      GradientTape tape;
      tape.watch(e);
      return tape.gradient(threefold(e), e);
    })(x);
  });
  CHECK_NEAR(gradient(x0), 3 * exp(x0), 1e-15);
  CHECK(gradient.stats().launches == 1);
}
