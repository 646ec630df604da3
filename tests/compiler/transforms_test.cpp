// Transforms nest in each other, in tapes and accumulators, in compile() and vmap, in any order: all pairs and a sample
// of triples, each against differences that use no derivative of ours.
#include <weft/weft.h>

#include "../support.h"
#include "differences.h"

using namespace weft;
using namespace weft::test;

namespace {

const Tensor c = tensor<double>({0.7, -1.1, 0.4}), v = tensor<double>({0.3, 0.9, -0.5});
const Tensor weights = tensor<double>({{0.5, -0.2, 0.3}, {0.1, 0.8, -0.6}, {-0.4, 0.2, 0.9}});
const Tensor scales = tensor<double>({1.0, -0.5});

// ---- derivatives by differences ----
Tensor unit(int i) { return tensor<double>({i == 0 ? 1.0 : 0.0, i == 1 ? 1.0 : 0.0, i == 2 ? 1.0 : 0.0}); }
Function directional(Function f) {
  return [f](const Tensor& x) { return along(f, x, v); };
}
Tensor jacobian_at(const Function& f, const Tensor& x, double h = 1e-3) {
  std::vector<Tensor> columns;
  for (int i = 0; i < 3; ++i) columns.push_back(along(f, x, unit(i), h));
  return stack(columns, 1);
}
Function weighted_jacobian(Function f) {
  return [f](const Tensor& x) { return sum(weights * jacobian_at(f, x), 1); };
}
Function loss_of(Function f) {
  return [f](const Tensor& x) { return sum(c * f(x)); };
}
Function gradient_of(Function f) {
  return [f](const Tensor& x) { return matmul(c, jacobian_at(f, x)); };
}
// Of the loss; the steps are longer, for errors of rounding grow with their square.
Tensor hessian_at(const Function& f, const Tensor& x) {
  return jacobian_at([&](const Tensor& y) { return matmul(c, jacobian_at(f, y, 2e-3)); }, x, 2e-3);
}

/// Each makes a function of f64[3] to f64[3] of one, and says by differences, or by the values of f alone, what that
/// has to be.
struct Transform {
  const char* name;
  std::function<Function(Function)> apply, expected;
};
const std::vector<Transform> transforms = {
    {"grad", [](Function f) -> Function { return grad(loss_of(f)); }, gradient_of},
    {"value_and_grad",
     [](Function f) -> Function {
       return [g = value_and_grad(loss_of(f))](const Tensor& x) {
         const auto [value, gradient] = g(x);
         return value * gradient;
       };
     },
     [](Function f) -> Function { return [f](const Tensor& x) { return loss_of(f)(x) * gradient_of(f)(x); }; }},
    {"vjp", [](Function f) -> Function { return [f](const Tensor& x) { return vjp(f, x).second(c); }; }, gradient_of},
    {"jvp", [](Function f) -> Function { return [f](const Tensor& x) { return jvp(f, x, v).second; }; }, directional},
    {"linearize", [](Function f) -> Function { return [f](const Tensor& x) { return linearize(f, x).second(v); }; },
     directional},
    {"jacobian",
     [](Function f) -> Function { return [f](const Tensor& x) { return sum(weights * jacobian(f)(x), 1); }; },
     weighted_jacobian},
    {"hessian",
     [](Function f) -> Function { return [f](const Tensor& x) { return sum(weights * hessian(loss_of(f))(x), 1); }; },
     [](Function f) -> Function { return [f](const Tensor& x) { return sum(weights * hessian_at(f, x), 1); }; }},
    {"hvp", [](Function f) -> Function { return [f](const Tensor& x) { return hvp(loss_of(f), x, v); }; },
     [](Function f) -> Function { return [f](const Tensor& x) { return matmul(hessian_at(f, x), v); }; }},
    {"vmap",
     [](Function f) -> Function {
       return [f](const Tensor& x) {
         return sum(vmap([&](const Tensor& s) { return f(x * s); }, {.out_axes = {1}})(scales), 1);
       };
     },
     [](Function f) -> Function { return [f](const Tensor& x) { return f(x) + f(x * -0.5); }; }},
    {"a tape's gradient",
     [](Function f) -> Function {
       return [f](const Tensor& x) {
         GradientTape tape;
         tape.watch(x);
         return tape.gradient(loss_of(f)(x), x);
       };
     },
     gradient_of},
    {"a tape's jacobian",
     [](Function f) -> Function {
       return [f](const Tensor& x) {
         GradientTape tape({.persistent = true});
         tape.watch(x);
         const Tensor y = f(x);
         tape.stop();
         return sum(weights * tape.jacobian(y, x), 1);
       };
     },
     weighted_jacobian},
    {"an accumulator",
     [](Function f) -> Function {
       return [f](const Tensor& x) {
         const ForwardAccumulator acc(x, v);
         return acc.jvp(f(x));
       };
     },
     directional},
    {"compile", [](Function f) -> Function { return compile(f); }, [](Function f) { return f; }},
};

Tensor smooth(const Tensor& x) { return sin(x) * sum(x * x) + matmul(weights, exp(x * 0.5)); }

// A loop over elements, one with rounds by value, a branch by value.
Tensor looped(const Tensor& x) {
  const auto [h, ys] =
      scan([&](const Tensor& s, const Tensor& e) { return std::pair(sin(s) * e + x, s * e); }, x * 0.5, v + x);
  const Tensor grown =
      while_loop([](const Tensor& s) { return sum(s * s) < 4; }, [&](const Tensor& s) { return s * 1.5 + h; }, h);
  return cond(
      sum(x) > 0.05, [&] { return grown * x; }, [&, y = ys] { return cos(grown) + sum(y, 0); });
}

const std::vector<std::pair<const char*, Function>> bases = {{"smooth", smooth}, {"looped", looped}};
const Tensor at = tensor<double>({0.2, -0.4, 0.5});

}  // namespace

TEST_CASE("every pair of transforms, against differences", "[transforms][1.6.20][once]") {
  for (const auto& [name, base] : bases)
    for (const Transform& inner : transforms) {
      const Function g = inner.apply(base);
      INFO(inner.name << " of " << name);
      CHECK_NEAR(g(at), inner.expected(base)(at), 1e-7);
      for (const Transform& outer : transforms) {
        INFO("in " << outer.name);
        CHECK_NEAR(outer.apply(g)(at), outer.expected(g)(at), 1e-7);
      }
    }
}

TEST_CASE("triples of transforms, against differences, compiled too", "[transforms][once]") {
  const std::size_t n = transforms.size();
  for (const auto& [name, base] : bases)
    for (std::size_t k = 0; k < 3 * n; ++k) {
      const Transform &a = transforms[k % n], &b = transforms[(3 * k + k / n) % n], &d = transforms[(5 * k + 2) % n];
      INFO(a.name << " of " << b.name << " of " << d.name << " of " << name);
      const Function g = b.apply(d.apply(base)), f = a.apply(g);
      CHECK_NEAR(f(at), a.expected(g)(at), 1e-6);
      CHECK_NEAR(compile(f)(at), f(at), 1e-12);
    }
}

TEST_CASE("a compiled transform gives the eager bits, whatever it is a transform of", "[transforms][once]") {
  for (const auto& [name, base] : bases)
    for (const Transform& inner : transforms)
      for (const Transform& outer : transforms) {
        const Function f = outer.apply(inner.apply(base));
        INFO(inner.name << " of " << name << " in " << outer.name);
        if (std::string_view(inner.name) != "compile" && std::string_view(outer.name) != "compile")
          CHECK_SAME(compile(f)(at), f(at));
      }
}

TEST_CASE("a compiled gradient takes what the gradient takes", "[transforms]") {
  auto g = compile(grad<0, 1>([](const Tensor& w, const Tensor& b) { return sum(square(w * 2 + b)); }));
  const auto [dw, db] = g(tensor({1, 2}), tensor({0, 1}));
  CHECK_VALUES(dw, 8, 20);
  CHECK_VALUES(db, 4, 10);
}

TEST_CASE("recompute in a compiled function: the same gradients and random numbers", "[recompute]") {
  const Tensor x = tensor<double>({0.2, -0.4, 0.5});
  random::Generator eager(3), compiled(3);
  const auto loss = [](random::Generator& generator) {
    return [&](const Tensor& t) {
      const auto f = recompute([&](const Tensor& p) { return sin(p * random::uniform({3}, 0, 1, f64, generator)); });
      return sum(f(f(t)) * c);
    };
  };
  CHECK_SAME(compile(grad(loss(compiled)))(x), grad(loss(eager))(x));
  CHECK_SAME(compiled.state.value(), eager.state.value());
}
