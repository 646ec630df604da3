// W8: a chain of elementwise ops, and its gradients. W10: ops so small that their cost is the way to them.
#include <cmath>

#include "numbers.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

const double unit = std::sqrt(3.0);
constexpr int repeats = 100;  // ops of a timed step

Tensor input(std::string_view tag, const Shape& shape) { return uniform(tag, shape, -unit, unit); }

Tensor chain(const Tensor& x, const Tensor& w, const Tensor& b) {
  return tanh(x * w + b) * sigmoid(x) + 0.5 * square(x - w) / (1 + abs(b));
}

Step chain_of(Mode mode, std::int64_t n) {
  return make_step(mode, chain, input("W8.x", {n}), input("W8.w", {n}), input("W8.b", {n}));
}

}  // namespace

Step chain_20(Mode mode) { return chain_of(mode, 1 << 20); }
Step chain_24(Mode mode) { return chain_of(mode, 1 << 24); }

Step chain_gradients(Mode mode) {
  constexpr std::int64_t n = 1 << 20;
  const auto f = [](const Tensor& x, const Tensor& w, const Tensor& b) {
    GradientTape tape;
    tape.watch(x, w, b);
    const Tensor y = sum(chain(x, w, b));
    const auto [dx, dw, db] = tape.gradient(y, x, w, b);
    return std::array{y, dx, dw, db};
  };
  return make_step(mode, f, input("W8.x", {n}), input("W8.w", {n}), input("W8.b", {n}));
}

Step add_of_ten(Mode mode) {
  const auto f = [](const Tensor& a, const Tensor& b) { return a + b; };
  return repeated_step(mode, repeats, f, input("W10.a", {10}), input("W10.b", {10}));
}

Step small_matmul(Mode mode) {
  const auto f = [](const Tensor& m, const Tensor& n) { return matmul(m, n); };
  return repeated_step(mode, repeats, f, input("W10.m", {100, 2}), input("W10.n", {2, 10}));
}

Step gradient_of_ten(Mode mode) {
  const auto f = [](const Tensor& a, const Tensor& b) {
    GradientTape tape;
    tape.watch(a, b);
    const Tensor y = sum(a * b);
    const auto [da, db] = tape.gradient(y, a, b);
    return std::array{y, da, db};
  };
  return repeated_step(mode, repeats, f, input("W10.a", {10}), input("W10.b", {10}));
}

}  // namespace bench
