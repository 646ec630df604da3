// Composed transforms against derivatives written by hand: the compiler should see the same work in both.
#include <benchmark/benchmark.h>

#include "cases.h"
#include "numbers.h"
#include "report/outcome.h"
#include "step.h"
#include "turns.h"

namespace bench {
namespace {

using namespace weft;

constexpr int calls = 20;  // of a sample

// y = tanh(x w1) w2 for rows x.
struct Net {
  Tensor w1 = weight("W14.w1", 32, 64), w2 = weight("W14.w2", 64, 32);
  Tensor operator()(const Tensor& x) const { return matmul(tanh(matmul(x, w1)), w2); }
};

Tensor input(const char* tag, const Shape& shape) { return uniform(tag, shape, -1.7, 1.7); }

template <class Composed, class ByHand, class... Input>
void add(const char* name, Composed composed, ByHand by_hand, Input... inputs) {
  benchmark::RegisterBenchmark(
      name, weft::bench::caught([=](benchmark::State& state) {
        time_in_turns(state, {"composed_time", repeated_step(Mode::compile, calls, composed, inputs...), calls},
                      {"by_hand_time", repeated_step(Mode::compile, calls, by_hand, inputs...), calls}, 1e-3);
      }))
      ->UseManualTime();
}

}  // namespace

void register_transforms() {
  const Net net;
  const Tensor &w1 = net.w1, &w2 = net.w2, x = input("W14.x", {64, 32}), v = input("W14.v", {64, 32});
  const Tensor one = slice_axis(x, 0, 0, 1);
  const auto loss = [=](const Tensor& p) { return sum(square(net(p))); };

  add(
      "transforms/hessian_vector_product", [=](const Tensor& p, const Tensor& d) { return hvp(loss, p, d); },
      [=](const Tensor& p, const Tensor& d) {
        const Tensor t = tanh(matmul(p, w1)), slope = 1 - square(t), dt = matmul(d, w1) * slope;
        const Tensor g = matmul(2 * matmul(t, w2), transpose(w2)), dg = matmul(2 * matmul(dt, w2), transpose(w2));
        return matmul(dg * slope - g * (2 * t * dt), transpose(w1));
      },
      x, v);
  add(
      "transforms/jacobian",
      [=](const Tensor& p) {
        return reshape(jacobian(net)(p), {32, 32});
      },
      [=](const Tensor& p) {
        const Tensor slope = 1 - square(tanh(matmul(p, w1)));
        return matmul(transpose(w2) * slope, transpose(w1));
      },
      one);
  add(
      "transforms/gradients_of_each_example",
      [=](const Tensor& rows, const Tensor& a, const Tensor& b) {
        return vmap(grad<0, 1>([](const Tensor& p, const Tensor& q, const Tensor& row) {
                      return sum(square(matmul(tanh(matmul(row, p)), q)));
                    }),
                    {.in_axes = {std::nullopt, std::nullopt, 0}})(a, b, rows);
      },
      [=](const Tensor& rows, const Tensor& a, const Tensor& b) {
        const Tensor t = tanh(matmul(rows, a)), g = 2 * matmul(t, b), h = matmul(g, transpose(b)) * (1 - square(t));
        return std::pair(expand(rows, 2) * expand(h, 1), expand(t, 2) * expand(g, 1));
      },
      x, w1, w2);
  add(
      "transforms/gradient_of_a_gradient_penalty",
      [=](const Tensor& p) { return grad([=](const Tensor& q) { return sum(square(grad(loss)(q))); })(p); },
      [=](const Tensor& p) {  // 2 H g, with H the hessian of the loss and g its gradient
        const Tensor t = tanh(matmul(p, w1)), slope = 1 - square(t);
        const Tensor back = matmul(2 * matmul(t, w2), transpose(w2)), g = matmul(back * slope, transpose(w1));
        const Tensor dt = matmul(2 * g, w1) * slope, dback = matmul(2 * matmul(dt, w2), transpose(w2));
        return matmul(dback * slope - back * (2 * t * dt), transpose(w1));
      },
      x);
}

}  // namespace bench
