// Parts that several workloads share.
#pragma once

#include <cmath>
#include <memory>

#include "numbers.h"

namespace bench {

inline const double unit = std::sqrt(3.0);  // bound of inputs: unit variance

inline weft::nn::Linear linear(std::string_view tag, std::int64_t in, std::int64_t out) {
  weft::nn::Linear layer(in, out);
  layer.weight.assign(weight(tag, in, out));
  return layer;
}

struct MnistMlp {
  weft::nn::Linear fc1 = linear("W2.w1", 784, 512), fc2 = linear("W2.w2", 512, 256), fc3 = linear("W2.w3", 256, 10);
  WEFT_MEMBERS(fc1, fc2, fc3)

  weft::Tensor operator()(const weft::Tensor& x) const { return fc3(relu(fc2(relu(fc1(x))))); }
};

// A model's training by Adam; loss(labels, outputs) is a number.
template <class Model, class Loss> auto adam_step(Loss loss_of) {
  auto model = std::make_shared<Model>();
  auto optimizer = std::make_shared<weft::nn::Adam>(*model, weft::nn::AdamOptions{.learning_rate = 1e-3});
  return [model, optimizer, loss_of](const weft::Tensor& x, const weft::Tensor& y) {
    weft::GradientTape tape;
    const weft::Tensor loss = loss_of(y, (*model)(x));
    optimizer->apply(tape.gradient(loss, *model));
    return loss;
  };
}

// The loss of classifiers.
inline weft::Tensor cross_entropy(const weft::Tensor& y, const weft::Tensor& logits) {
  return mean(weft::nn::softmax_cross_entropy(y, logits));
}

}  // namespace bench
