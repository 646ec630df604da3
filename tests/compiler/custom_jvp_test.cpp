// Rules of one's own where functions are traced: compile, vmap, control flow, recompute, and those in each other.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

using Function = std::function<Tensor(const Tensor&)>;

// exp with a derivative that is three times the true one, at each order: the rule is differentiated as it stands.
const Function threefold = custom_jvp([](const Tensor& x) { return exp(x); },
                                      [](const Tensor& x, const Tensor& dx) { return 3 * dx * exp(x); });

const std::vector<std::pair<const char*, std::function<Function(Function)>>> wraps = {
    {"compile", [](Function f) -> Function { return compile(f); }},
    {"vmap", [](Function f) -> Function { return vmap(f); }},
    {"recompute", [](Function f) -> Function { return recompute(f); }},
    {"cond",
     [](Function f) -> Function {
       return [f](const Tensor& x) {
         return cond(
             sum(x) > -100, [&] { return f(x); }, [&] { return x; });
       };
     }},
    {"scan",
     [](Function f) -> Function {
       return [f](const Tensor& x) {
         return sum(
             scan([&](const Tensor& c, const Tensor& e) { return std::pair(c * 1, f(e)); }, x, stack({x})).second, 0);
       };
     }},
    {"a carry of scan",
     [](Function f) -> Function {
       return [f](const Tensor& x) {
         return scan([&](const Tensor& c, std::tuple<>) { return std::pair(f(c), std::tuple()); }, x, std::tuple(),
                     {.length = 1})
             .first;
       };
     }},
    {"while_loop",
     [](Function f) -> Function {
       return [f](const Tensor& x) {
         return std::get<1>(while_loop([](const auto& c) { return std::get<0>(c) < 1; },
                                       [f](const auto& c) { return std::tuple(std::get<0>(c) + 1, f(std::get<1>(c))); },
                                       std::tuple(full({}, 0, i64), x), {.max_iterations = 3}));
       };
     }},
};

Function summed(Function f) {
  return [f](const Tensor& x) { return sum(f(x)); };
}
const std::vector<std::pair<const char*, std::function<Function(Function)>>> derivatives = {
    {"grad", [](Function f) -> Function { return grad(summed(f)); }},
    {"jvp",
     [](Function f) -> Function { return [f](const Tensor& x) { return jvp(f, x, ones(x.shape(), f64)).second; }; }},
};

}  // namespace

TEST_CASE("a forward rule of one's own survives whatever traces the function, in each mode, at both orders",
          "[custom][transforms]") {
  const Tensor x = tensor<double>({0.3, -0.7, 1.1}), y = exp(x);
  for (const auto& [name, wrap] : wraps) {
    for (const auto& [outer_name, outer] : wraps) {
      INFO(name << " in " << outer_name);
      const Function f =
          std::string_view(name) == std::string_view(outer_name) ? wrap(threefold) : outer(wrap(threefold));
      CHECK_NEAR(f(x), y, 1e-15);
      for (const auto& [mode, derivative] : derivatives) {
        INFO(mode);
        CHECK_NEAR(derivative(f)(x), 3 * y, 1e-14);
        CHECK_NEAR(compile(derivative(f))(x), 3 * y, 1e-14);
        for (const auto& [second, again] : derivatives) {
          INFO(second << " of it");
          CHECK_NEAR(again(derivative(f))(x), 3 * y, 1e-14);
        }
      }
    }
  }
}

TEST_CASE("a forward rule under vmap: what all examples share, what the rule alone depends on, draws",
          "[custom][vmap]") {
  const Tensor a = tensor<double>({1.0, 2.0, 3.0}), b = full({}, 10.0, f64);
  const auto product = custom_jvp(
      [](const Tensor& p, const Tensor& q) { return p * q; },
      [](const Tensor& p, const Tensor& q, const Tensor& dp, const Tensor& dq) { return 2 * dp * q + 5 * p * dq; });
  GradientTape tape;
  tape.watch(a, b);
  const auto [da, db] = tape.gradient(vmap(product, {.in_axes = {0, std::nullopt}})(a, b), a, b);
  CHECK_VALUES(da, 20, 20, 20);
  CHECK(db.item() == 30);
  const auto one = custom_jvp([](const Tensor&) { return full({}, 1.0, f64); },
                              [](const Tensor& x, const Tensor& dx) { return x * dx; });
  CHECK_VALUES(grad([&](const Tensor& t) { return sum(vmap(one)(t)); })(a), 1, 2, 3);
  random::Generator g(3), again(3);
  const auto noisy = custom_jvp([&](const Tensor& x) { return x + random::uniform({}, 0, 1, f64, g); },
                                [](const Tensor&, const Tensor& dx) { return dx; });
  const Tensor drawn = compile(vmap(noisy))(a);
  CHECK_SAME(drawn, a + random::uniform({3}, 0, 1, f64, again));
  CHECK_SAME(g.state.value(), again.state.value());
}

TEST_CASE("a forward rule in a trace may use tensors from around it, and its errors wait for a derivative",
          "[custom]") {
  const Tensor x = tensor<double>({0.5, 2.0});
  auto f = compile([](const Tensor& t, const Tensor& scale) {
    const Tensor s = exp(scale);
    return custom_jvp([&](const Tensor& u) { return u * s; },
                      [s](const Tensor& u, const Tensor& du) { return du * square(u) * s; })(t);
  });
  const Tensor zero = full({}, 0.0, f64);
  CHECK_VALUES(grad([&](const Tensor& t) { return sum(f(t, zero)); })(x), 0.25, 4);
  CHECK_VALUES(grad([&](const Tensor& t) { return sum(grad([&](const Tensor& u) { return sum(f(u, zero)); })(t)); })(x),
               1, 4);

  auto broken = compile(
      custom_jvp([](const Tensor& t) { return t * 2; },
                 [](const Tensor&, const Tensor&) -> Tensor { throw std::runtime_error("no derivative today"); }));
  CHECK_VALUES(broken(x), 1, 4);
  CHECK_THROWS_WITH(grad([&](const Tensor& t) { return sum(broken(t)); })(x), "no derivative today");
  const Variable w(full({}, 2.0, f64), true, "w");
  auto reads =
      compile(custom_jvp([&](const Tensor& t) { return t * w; }, [](const Tensor&, const Tensor& d) { return d; }));
  CHECK_THROWS_AS(reads(x), GradError);
}
