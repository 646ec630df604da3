// Losses, as tests/functions.h has functions over ops.
#pragma once

#include <weft/nn/ctc.h>
#include <weft/nn/losses.h>

#include "functions.h"

namespace weft::test {

inline const std::vector<PublicFunction>& losses() {
  using In = const std::vector<Tensor>&;
  constexpr std::int64_t rows = 8192, classes = 1024;
  const PublicFunction::Operand any{{5, 40}, {rows, classes}}, some{{5, 40}, {rows, classes}, 0, 1};
  static const std::vector<PublicFunction> all = {
      {"mse", {any, any}, [](In x) { return nn::mse(x[0], x[1]); }},
      {"mae", {any, any}, [](In x) { return nn::mae(x[0], x[1]); }},
      {"huber", {any, any}, [](In x) { return nn::huber(x[0], x[1]); }},
      {"sigmoid_cross_entropy_with_logits",
       {some, any},
       [](In x) { return nn::sigmoid_cross_entropy_with_logits(x[0], x[1]); }},
      {"binary_cross_entropy", {some, some}, [](In x) { return nn::binary_cross_entropy(x[0], x[1]); }},
      {"softmax_cross_entropy",
       {any},
       [](In x) { return nn::softmax_cross_entropy(arange(x[0].shape()[0]) * 7 % x[0].shape().back(), x[0]); }},
      {"kl_divergence", {some, some}, [](In x) { return nn::kl_divergence(x[0], x[1]); }},
      {"ctc_loss",
       {{{12, 2, 6}, {}}},
       [](In x) {
         const Tensor labels = tensor<std::int64_t>({{1, 2, 2, 5}, {3, 4, 0, 0}}),
                      lengths = tensor<std::int64_t>({4, 2});
         return nn::ctc_loss(labels, log_softmax(x[0]), lengths, tensor<std::int64_t>({12, 9}));
       }},
  };
  return all;
}

}  // namespace weft::test
