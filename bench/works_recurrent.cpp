// W5: training an LSTM on the last of its outputs.
#include <cmath>
#include <memory>

#include "numbers.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

struct Classifier {
  nn::LSTM lstm{64, 128};
  nn::Linear head{128, 10};
  WEFT_MEMBERS(lstm, head)

  Classifier() {
    lstm.weight_ih.assign(weight("W5.w_ih", 64, 512));
    lstm.weight_hh.assign(weight("W5.w_hh", 128, 512));
    lstm.bias->assign(zeros({512}));
    head.weight.assign(weight("W5.w", 128, 10));
  }
  Tensor operator()(const Tensor& x) const { return head(lstm(x).second.h); }
};

}  // namespace

Step lstm(Mode mode) {
  auto model = std::make_shared<Classifier>();
  auto optimizer = std::make_shared<nn::Adam>(*model, nn::AdamOptions{.learning_rate = 1e-3});
  const auto step = [model, optimizer](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = mean(nn::softmax_cross_entropy(y, (*model)(x)));
    optimizer->apply(tape.gradient(loss, *model));
    return loss;
  };
  return make_step(mode, step, uniform("W5.x", {32, 64, 64}, -std::sqrt(3.0), std::sqrt(3.0)),
                   classes("W5.y", {32}, 10));
}

}  // namespace bench
