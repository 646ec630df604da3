// W4: a small convolutional net in training. W11: the nets of W2 and W4 as they are used, without gradients. W12:
// ResNet-20 in training.
//
// Channels are last throughout, so that nothing is moved between convolutions; the dense layer's rows, which the common
// numbers have by channel, height, width, are put in that order once.
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

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

// A convolution without bias, and batch norm of its channels: those are last, so it sees rows of them.
struct Unit {
  nn::Conv2d conv;
  nn::BatchNorm norm;
  WEFT_MEMBERS(conv, norm)

  Unit(int number, std::int64_t in, std::int64_t out, std::int64_t window, std::int64_t stride)
      : conv(in, out, window, {.stride = stride, .padding = window / 2, .channels_last = true}, false), norm(out) {
    const double bound = 1 / std::sqrt(static_cast<double>(in * window * window));
    conv.weight.assign(uniform("W12.conv" + std::to_string(number), {out, in, window, window}, -bound, bound));
  }
  Tensor operator()(const Tensor& x) const {
    const Tensor y = conv(x);
    return reshape(norm(reshape(y, {-1, y.shape().back()})), y.shape());
  }
};

struct Residual {
  Unit first, second;
  std::optional<Unit> shortcut;
  WEFT_MEMBERS(first, second, shortcut)

  Residual(int& number, std::int64_t in, std::int64_t out, std::int64_t stride)
      : first(number++, in, out, 3, stride), second(number++, out, out, 3, 1) {
    if (stride > 1) shortcut.emplace(number++, in, out, 1, stride);
  }
  Tensor operator()(const Tensor& x) const { return relu(second(relu(first(x))) + (shortcut ? (*shortcut)(x) : x)); }
};

struct ResNet20 {
  Unit stem{0, 3, 16, 3, 1};
  std::vector<Residual> blocks;
  nn::Linear head = linear("W12.w", 64, 10);
  WEFT_MEMBERS(stem, blocks, head)

  ResNet20() {
    int number = 1;
    for (const auto& [in, out, stride] : {std::array{16, 16, 1}, {16, 32, 2}, {32, 64, 2}}) {
      blocks.emplace_back(number, in, out, stride);
      for (int i = 0; i < 2; ++i) blocks.emplace_back(number, out, out, 1);
    }
  }
  Tensor operator()(const Tensor& x) const {
    Tensor t = relu(stem(x));
    for (const Residual& block : blocks) t = block(t);
    return head(global_avg_pool(t, true));
  }
};

template <class Model> Step inference(Mode mode, Tensor x) {
  return make_step(
      mode, [model = std::make_shared<Model>()](const Tensor& t) { return (*model)(t); }, std::move(x));
}

}  // namespace

Step mnist_cnn(Mode mode) {
  return make_step(mode, adam_step<MnistCnn>(cross_entropy), images("W4.x", 64), classes("W4.y", {64}, 10));
}

Step resnet_20(Mode mode) {
  auto net = std::make_shared<ResNet20>();
  auto optimizer =
      std::make_shared<nn::SGD>(*net, nn::SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 1e-4});
  const auto step = [net, optimizer](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = cross_entropy(y, (*net)(x));
    optimizer->apply(tape.gradient(loss, *net));
    return loss;
  };
  const Tensor x = transpose(uniform("W12.x", {32, 3, 32, 32}, -unit, unit), Ints{0, 2, 3, 1});
  return make_step(mode, step, contiguous(x), classes("W12.y", {32}, 10));
}

Step mlp_of_one(Mode mode) { return inference<MnistMlp>(mode, uniform("W11.x", {1, 784}, -unit, unit)); }
Step mlp_of_256(Mode mode) { return inference<MnistMlp>(mode, uniform("W11.x", {256, 784}, -unit, unit)); }
Step cnn_of_one(Mode mode) { return inference<MnistCnn>(mode, images("W11.x", 1)); }

}  // namespace bench
