// W4: a small convolutional net in training. W11: the nets of W2 and W4 as they are used, without gradients.
//
// Channels are last throughout, so that nothing is moved between convolutions; the dense layer's rows, which the common
// numbers have by channel, height, width, are put in that order once.
#include <cmath>

#include "models.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

nn::Conv2d conv(std::string_view tag, std::int64_t in, std::int64_t out) {
  nn::Conv2d layer(in, out, 3, {.padding = 1, .channels_last = true});
  const double bound = 1 / std::sqrt(static_cast<double>(in * 9));
  layer.weight.assign(uniform(tag, {out, in, 3, 3}, -bound, bound));
  return layer;
}

struct MnistCnn {
  nn::Conv2d conv1 = conv("W4.conv1", 1, 16), conv2 = conv("W4.conv2", 16, 32);
  nn::Linear head{1568, 10};
  WEFT_MEMBERS(conv1, conv2, head)

  MnistCnn() {
    const Tensor rows = reshape(weight("W4.w", 1568, 10), {32, 7, 7, 10});
    head.weight.assign(reshape(transpose(rows, Ints{1, 2, 0, 3}), {1568, 10}));
  }
  Tensor operator()(const Tensor& x) const {
    const nn::MaxPool2d pool{2, {.channels_last = true}};
    return head(nn::Flatten{}(pool(relu(conv2(pool(relu(conv1(x))))))));
  }
};

// [n, 1, 28, 28] with its one channel last: the same numbers in the same order.
Tensor images(std::string_view tag, std::int64_t n) {
  return reshape(uniform(tag, {n, 1, 28, 28}, -unit, unit), {n, 28, 28, 1});
}

template <class Model> Step inference(Mode mode, Tensor x) {
  return make_step(
      mode, [model = std::make_shared<Model>()](const Tensor& t) { return (*model)(t); }, std::move(x));
}

}  // namespace

Step mnist_cnn(Mode mode) {
  return make_step(mode, adam_step<MnistCnn>(cross_entropy), images("W4.x", 64), classes("W4.y", {64}, 10));
}

Step mlp_of_one(Mode mode) { return inference<MnistMlp>(mode, uniform("W11.x", {1, 784}, -unit, unit)); }
Step mlp_of_256(Mode mode) { return inference<MnistMlp>(mode, uniform("W11.x", {256, 784}, -unit, unit)); }
Step cnn_of_one(Mode mode) { return inference<MnistCnn>(mode, images("W11.x", 1)); }

}  // namespace bench
