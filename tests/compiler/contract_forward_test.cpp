// Forward mode and recomputation with compiled functions.
#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("Compiled functions in one another, a loop inside, recomputed: 11 five times over, and nothing is left",
          "[recompute][compile][1.5.109]") {
  const NoLeaks guard;
  auto inner = compile([](const Tensor& z) { return z + 1; });
  auto middle = compile([&](const Tensor& y) {
    return while_loop([](const auto& c) { return c.second < 10; },
                      [&](const auto& c) { return std::pair(inner(c.first), c.second + 1); },
                      std::pair(y, Tensor(full({}, 0.0f))))
        .first;
  });
  auto outer = recompute(compile([&](const Tensor& x) { return middle(x) * 1; }));
  for (int i = 0; i < 5; ++i) {
    const Variable x(scalar(1));
    GradientTape tape;
    const Tensor y = outer(x.value());
    CHECK(y.item() == 11);
    CHECK(tape.gradient(y, x).item() == 1);
  }
}

TEST_CASE("Tangents through a compiled function of ever other shapes: old traces go, their derivatives with them",
          "[forward][compile][1.6.3]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) { return sum(sin(x) * x); }, {.max_traces = 2});
  std::int64_t live = 0;
  for (std::int64_t n = 1; n <= 8; ++n) {
    {
      const Tensor x = full({n}, 0.5, f64);
      const ForwardAccumulator acc(x, ones({n}, f64));
      CHECK(acc.jvp(f(x)).item() == Approx(static_cast<double>(n) * (std::sin(0.5) + 0.5 * std::cos(0.5))));
    }
    if (n == 4) live = live_tensors();
  }
  CHECK(live_tensors() <= live);
}

TEST_CASE("The tangents of prod(tanh^2) through a compiled function, to order 3", "[forward][compile][1.6.20]") {
  const auto f = compile([](const Tensor& x) { return prod(square(tanh(x))); });
  const auto g = [](const Tensor& x) { return prod(square(tanh(x))); };
  const Tensor x = tensor<double>({0.5, -0.7}), d = tensor<double>({0.3, 1.1});
  const auto once = [&](auto h) { return [=](const Tensor& t) { return jvp(h, t, d).second; }; };
  CHECK_NEAR(once(f)(x), once(g)(x), 1e-14);
  CHECK_NEAR(once(once(f))(x), once(once(g))(x), 1e-13);
  CHECK_NEAR(once(once(once(f)))(x), once(once(once(g)))(x), 1e-12);
  CHECK_NEAR(grad(once(f))(x), grad(once(g))(x), 1e-13);
  CHECK_NEAR(once(grad(f))(x), once(grad(g))(x), 1e-13);
}

TEST_CASE("Tangents taken inside a compiled function, of a compiled function, to order 3, forward alone",
          "[forward][compile][1.6.19]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) { return prod(square(tanh(x))); });
  const Tensor x = tensor<double>({0.5, -0.7}), d = tensor<double>({0.3, 1.1});
  using Function = std::function<Tensor(const Tensor&)>;
  const auto once = [&](Function h) -> Function {
    return compile([h, &d](const Tensor& t) {
      const ForwardAccumulator acc(t, d);
      return acc.jvp(h(t));
    });
  };
  const auto differences = [&](const Function& h, const Tensor& t) {
    const double e = 1e-3;
    return (h(t - d * (2 * e)) - h(t - d * e) * 8 + h(t + d * e) * 8 - h(t + d * (2 * e))) / (12 * e);
  };
  Function g = f;
  for (int order = 1; order <= 3; ++order) {
    const Function next = once(g);
    CHECK_NEAR(next(x), differences(g, x), 1e-9);
    g = next;
  }
}

TEST_CASE("One trace of a compiled product serves two products with tangents", "[forward][compile][1.6.21]") {
  const NoLeaks guard;
  Random random(4);
  const Tensor a = random_tensor(random, {3, 3}, f64), b = random_tensor(random, {3, 3}, f64);
  const Tensor da = random_tensor(random, {3, 3}, f64), db = random_tensor(random, {3, 3}, f64);
  int runs = 0;
  auto product = compile([&](const Tensor& x, const Tensor& y) {
    ++runs;
    return matmul(x, y);
  });
  const ForwardAccumulator acc(std::pair(a, b), std::pair(da, db));
  const Tensor first = product(a, b), second = product(b, a);
  CHECK_NEAR(acc.jvp(first), matmul(da, b) + matmul(a, db), 1e-14);
  CHECK_NEAR(acc.jvp(second), matmul(db, a) + matmul(b, da), 1e-14);
  CHECK_NEAR(acc.jvp(product(a, ones({3, 3}, f64))), matmul(da, ones({3, 3}, f64)), 1e-14);
  CHECK(runs == 1);
}

TEST_CASE("What a paused tape does not see has a tangent, and what a stopped accumulator does not see a gradient",
          "[forward][compile][1.6.25]") {
  const NoLeaks guard;
  auto square_of = compile([](const Tensor& x) { return x * x; });
  const Tensor x = scalar(3);
  ForwardAccumulator acc(x, scalar(2));
  GradientTape tape({.persistent = true});
  tape.watch(x);
  Tensor forward_only, backward_only;
  {
    const auto pause = tape.stop_recording();
    forward_only = square_of(x);
  }
  acc.stop();
  backward_only = square_of(x);
  acc.start();
  const Tensor both = square_of(x);
  tape.stop();
  CHECK(acc.jvp(forward_only).item() == 12);
  CHECK_FALSE(tape.gradient(forward_only, x).defined());
  CHECK_FALSE(acc.jvp(backward_only).defined());
  CHECK(tape.gradient(backward_only, x).item() == 6);
  CHECK(acc.jvp(both).item() == 12);
  CHECK(tape.gradient(both, x).item() == 6);
}

TEST_CASE("A compiled function that reads a primal variable has its tangent, around it and inside",
          "[forward][compile][1.6.34]") {
  const NoLeaks guard;
  Variable v(scalar(3));
  auto read = compile([&](const Tensor& x) { return x * v * v; });
  {
    const ForwardAccumulator acc(v, scalar(11));
    CHECK(acc.jvp(v).item() == 11);
    CHECK(acc.jvp(read(1)).item() == 66);
    CHECK_FALSE(acc.jvp(scalar(1)).defined());
  }
  auto inside = compile([&](const Tensor& d) {
    const ForwardAccumulator acc(v, d);
    const Tensor y = v * v;
    return std::pair(acc.jvp(v), acc.jvp(y));
  });
  for (int i = 1; i < 3; ++i) {
    v.assign(static_cast<float>(i));
    const auto [dv, dy] = inside(11);
    CHECK(dv.item() == 11);
    CHECK(dy.item() == 22 * i);
  }
}
