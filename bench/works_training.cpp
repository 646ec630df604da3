// W1, W2, W3: whole training steps, the update included.
#include <cmath>
#include <memory>

#include "numbers.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

const double unit = std::sqrt(3.0);  // bound of inputs: unit variance

nn::Linear linear(std::string_view tag, std::int64_t in, std::int64_t out) {
  nn::Linear layer(in, out);
  layer.weight.assign(weight(tag, in, out));
  return layer;
}

struct MnistMlp {
  nn::Linear fc1 = linear("W2.w1", 784, 512), fc2 = linear("W2.w2", 512, 256), fc3 = linear("W2.w3", 256, 10);
  WEFT_MEMBERS(fc1, fc2, fc3)

  Tensor operator()(const Tensor& x) const { return fc3(relu(fc2(relu(fc1(x))))); }
};

struct BigMlp {
  nn::Linear fc1 = linear("W3.w1", 1024, 1024), fc2 = linear("W3.w2", 1024, 1024), fc3 = linear("W3.w3", 1024, 1024),
             fc4 = linear("W3.w4", 1024, 1024);
  WEFT_MEMBERS(fc1, fc2, fc3, fc4)

  Tensor operator()(const Tensor& x) const { return fc4(relu(fc3(relu(fc2(relu(fc1(x))))))); }
};

// A model's training by Adam; loss(labels, outputs) is a number.
template <class Model, class Loss> auto adam_step(Loss loss_of) {
  auto model = std::make_shared<Model>();
  auto optimizer = std::make_shared<nn::Adam>(*model, nn::AdamOptions{.learning_rate = 1e-3});
  return [model, optimizer, loss_of](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = loss_of(y, (*model)(x));
    optimizer->apply(tape.gradient(loss, *model));
    return loss;
  };
}

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
  const auto step = adam_step<MnistMlp>(
      [](const Tensor& y, const Tensor& logits) { return mean(nn::softmax_cross_entropy(y, logits)); });
  return make_step(mode, step, uniform("W2.x", {64, 784}, -unit, unit), classes("W2.y", {64}, 10));
}

Step big_mlp(Mode mode) {
  const auto step = adam_step<BigMlp>([](const Tensor& y, const Tensor& out) { return nn::mse(y, out); });
  return make_step(mode, step, uniform("W3.x", {256, 1024}, -unit, unit), uniform("W3.y", {256, 1024}, -unit, unit));
}

}  // namespace bench
