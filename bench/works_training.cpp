// W1, W2, W3: whole training steps, the update included.
#include <memory>

#include "models.h"
#include "numbers.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

struct BigMlp {
  nn::Linear fc1 = linear("W3.w1", 1024, 1024), fc2 = linear("W3.w2", 1024, 1024), fc3 = linear("W3.w3", 1024, 1024),
             fc4 = linear("W3.w4", 1024, 1024);
  WEFT_MEMBERS(fc1, fc2, fc3, fc4)

  Tensor operator()(const Tensor& x) const { return fc4(relu(fc3(relu(fc2(relu(fc1(x))))))); }
};

}  // namespace

// The founding program's step, variables and all.
Step seed_mlp(Mode mode) {
  struct Weights {
    Variable w1 = weight("W1.w1", 2, 10), b1 = zeros({10}), w2 = weight("W1.w2", 10, 1), b2 = zeros({1});
  };
  const auto step = [v = std::make_shared<Weights>()](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor logits = matmul(sigmoid(matmul(x, v->w1) + v->b1), v->w2) + v->b2;
    const Tensor loss = mean(nn::sigmoid_cross_entropy_with_logits(y, logits));
    const auto [dw1, db1, dw2, db2] = tape.gradient(loss, v->w1, v->b1, v->w2, v->b2);
    v->w1.assign_sub(0.1 * dw1);
    v->b1.assign_sub(0.1 * db1);
    v->w2.assign_sub(0.1 * dw2);
    v->b2.assign_sub(0.1 * db2);
    return loss;
  };
  return make_step(mode, step, uniform("W1.x", {100, 2}, -unit, unit), cast(classes("W1.y", {100, 1}, 2), f32));
}

Step mnist_mlp(Mode mode) {
  const auto step = adam_step<MnistMlp>(cross_entropy);
  return make_step(mode, step, uniform("W2.x", {64, 784}, -unit, unit), classes("W2.y", {64}, 10));
}

Step big_mlp(Mode mode) {
  const auto step = adam_step<BigMlp>([](const Tensor& y, const Tensor& out) { return nn::mse(y, out); });
  return make_step(mode, step, uniform("W3.x", {256, 1024}, -unit, unit), uniform("W3.y", {256, 1024}, -unit, unit));
}

}  // namespace bench
