// Transforms of compiled functions, and compiled transforms.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {
using Function = std::function<Tensor(const Tensor&)>;

const Tensor c = tensor<double>({0.7, -1.1, 0.4}), v = tensor<double>({0.3, 0.9, -0.5});
Tensor base(const Tensor& x) { return sin(x) * sum(x * x) + exp(x * 0.5); }

const std::vector<std::pair<const char*, std::function<Function(Function)>>> transforms = {
    {"grad", [](Function f) -> Function { return grad([f](const Tensor& x) { return sum(c * f(x)); }); }},
    {"value_and_grad",
     [](Function f) -> Function {
       return [g = value_and_grad([f](const Tensor& x) { return sum(c * f(x)); })](const Tensor& x) {
         const auto [value, gradient] = g(x);
         return value * gradient;
       };
     }},
    {"vjp", [](Function f) -> Function { return [f](const Tensor& x) { return vjp(f, x).second(c); }; }},
    {"jvp", [](Function f) -> Function { return [f](const Tensor& x) { return jvp(f, x, v).second; }; }},
    {"linearize", [](Function f) -> Function { return [f](const Tensor& x) { return linearize(f, x).second(v); }; }},
    {"hvp",
     [](Function f) -> Function {
       return [f](const Tensor& x) { return hvp([&](const Tensor& t) { return sum(c * f(t)); }, x, v); };
     }}};
}  // namespace

TEST_CASE("transforms in compile and compile in transforms", "[transforms][1.6.20]") {
  const Tensor x = tensor<double>({0.2, -0.4, 0.5});
  for (const auto& [name, transform] : transforms) {
    INFO(name);
    const Tensor expected = transform(base)(x);
    CHECK_SAME(compile(transform(base))(x), expected);
    CHECK_NEAR(transform(compile(base))(x), expected, 1e-14);
    CHECK_NEAR(compile(transform(compile(base)))(x), expected, 1e-14);
    for (const auto& [other, outer] : transforms) {
      INFO("in " << other);
      const Tensor both = outer(transform(base))(x);
      CHECK_SAME(compile(outer(transform(base)))(x), both);
      CHECK_NEAR(outer(compile(transform(base)))(x), both, 1e-13);
    }
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
  Generator eager(3), compiled(3);
  const auto loss = [](Generator& generator) {
    return [&](const Tensor& t) {
      const auto f = recompute([&](const Tensor& p) { return sin(p * random::uniform({3}, 0, 1, f64, generator)); });
      return sum(f(f(t)) * c);
    };
  };
  CHECK_SAME(compile(grad(loss(compiled)))(x), grad(loss(eager))(x));
  CHECK_SAME(compiled.state.value(), eager.state.value());
}
