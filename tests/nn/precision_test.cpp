#include "../catch.h"
#include "../support.h"

#include <weft/weft.h>

using namespace weft;
using test::difference;

namespace {

struct Net {
  nn::Conv2d conv{1, 4, 3, {.padding = 1}};
  nn::BatchNorm batch{4};
  nn::Linear fc1{4 * 6 * 6, 16}, fc2{16, 3};
  nn::LayerNorm norm{{16}};
  Tensor operator()(const Tensor& x) const {
    const Tensor y = relu(batch(conv(x)));
    return fc2(norm(gelu(fc1(reshape(y, {x.shape()[0], 4 * 6 * 6})))));
  }
  WEFT_MEMBERS(conv, batch, fc1, fc2, norm)
};

Tensor images() { return random::normal({32, 1, 6, 6}); }
Tensor classes_of(const Tensor& x) {
  return argmax(reshape(slice_axis(x, 2, 0, 1), {32, 6})[{Ellipsis, Slice(0, 3)}], 1);
}

}  // namespace

TEST_CASE("a PrecisionScope makes layers give its type; parameters, gradients and losses stay f32", "[nn][precision]") {
  random::seed(3);
  const Net net;
  const Tensor x = images(), y = classes_of(x);
  CHECK(net(x).dtype() == f32);
  for (const DType half : {DType::bf16, DType::f16}) {
    const nn::PrecisionScope mixed(half);
    CHECK(nn::precision() == half);
    GradientTape tape;
    const Tensor logits = net(x), loss = mean(nn::softmax_cross_entropy(y, logits));
    CHECK(logits.dtype() == half);
    CHECK(loss.dtype() == f32);
    for (const auto& [variable, gradient] : tape.gradient(loss, net)) {
      CHECK(variable->value.dtype() == f32);
      CHECK(gradient.dtype() == f32);
    }
    CHECK(net.batch(x[{Slice(), Slice(0, 1)}] * ones({1, 4, 1, 1})).dtype() == half);
    CHECK(net.batch.running_mean.dtype() == f32);
    {
      const nn::PrecisionScope whole(f32);
      CHECK(net(x).dtype() == f32);
    }
    CHECK(nn::precision() == half);
  }
  CHECK(nn::precision() == f32);
}

TEST_CASE("every layer with weights and every norm gives the precision's type", "[nn][precision]") {
  const nn::PrecisionScope mixed(DType::bf16);
  const Tensor sequence = random::normal({2, 5, 8}), image = random::normal({2, 8, 4, 4});
  CHECK(nn::MultiHeadAttention(8, 2)(sequence).dtype() == DType::bf16);
  CHECK(nn::MultiHeadAttention(8, 2)(sequence, sequence).dtype() == DType::bf16);
  CHECK(nn::Embedding(9, 8)(zeros({2, 5}, i64)).dtype() == DType::bf16);
  CHECK(nn::ConvTranspose2d(8, 3, 2)(image).dtype() == DType::bf16);
  CHECK(nn::MultiHeadAttention(8, 2)(sequence, {.mask = zeros({5, 5})}).dtype() == DType::bf16);
  CHECK(nn::Prelu(8)(random::normal({2, 8})).dtype() == DType::bf16);
  CHECK(nn::Sequential(nn::Linear(8, 4), nn::Prelu(4), nn::Linear(4, 2))(random::normal({3, 8})).dtype() == DType::bf16);
  CHECK(nn::RMSNorm({8})(sequence).dtype() == DType::bf16);
  CHECK(nn::GroupNorm(2, 8)(image).dtype() == DType::bf16);
  CHECK(nn::InstanceNorm(8)(image).dtype() == DType::bf16);
  CHECK(nn::LSTM(8, 3)(sequence).first.dtype() == DType::bf16);
  CHECK(nn::GRU(8, 3)(sequence).first.dtype() == DType::bf16);
  CHECK(nn::RNN(8, 3)(sequence).first.dtype() == DType::bf16);
  CHECK(nn::mse(random::normal({2, 5, 8}), cast(sequence, DType::bf16)).dtype() == f32);
}

TEST_CASE("what is no f32 is not touched by a PrecisionScope", "[nn][precision]") {
  const nn::PrecisionScope mixed(DType::bf16);
  const nn::Linear wide(4, 2, true, nn::init::glorot_uniform, f64);
  CHECK(wide(ones({3, 4}, f64)).dtype() == f64);
  CHECK(nn::narrow(zeros({2}, i64)).dtype() == i64);
  CHECK(nn::widen(zeros({2}, f64)).dtype() == f64);
  const nn::Linear narrow(4, 2, true, nn::init::glorot_uniform, DType::bf16);
  CHECK(narrow(ones({3, 4})).dtype() == DType::bf16);
}

TEST_CASE("a compiled step is traced anew for another precision, and gives the eager bits",
          "[nn][precision][compile]") {
  random::seed(4);
  const Net net;
  const Tensor x = images(), y = classes_of(x);
  const auto loss_and_gradients = [&](const Tensor& a, const Tensor& b) {
    GradientTape tape;
    const Tensor loss = mean(nn::softmax_cross_entropy(b, net(a)));
    return std::pair{loss, tape.gradient(loss, net)[net.fc1.weight]};
  };
  auto compiled = compile(loss_and_gradients);
  for (const DType precision : {f32, DType::bf16, DType::f16}) {
    const nn::PrecisionScope scope(precision);
    const Net start = net;  // batch statistics move
    const auto [loss, gradient] = compiled(x, y);
    CHECK(difference(loss, loss_and_gradients(x, y).first) == "");
    CHECK(difference(gradient, loss_and_gradients(x, y).second) == "");
  }
  CHECK(compiled.stats().traces == 3);
}

TEST_CASE("the weights' 16-bit copies come with their updates, with the eager bits", "[nn][precision][compile]") {
  for (const DType precision : {DType::bf16, DType::f16}) {
    random::seed(6);
    Net net, same = net;
    nn::AdamW optimizer(net, {.learning_rate = 1e-2}), other(same, {.learning_rate = 1e-2});
    nn::LossScale scale, other_scale;
    const auto step = [precision](const Net& model, nn::AdamW& opt, nn::LossScale& by, const Tensor& x,
                                  const Tensor& y) {
      const nn::PrecisionScope scope(precision);
      GradientTape tape;
      const Tensor loss = mean(nn::softmax_cross_entropy(y, model(x)));
      by.apply(opt, tape.gradient(by.scaled(loss), model));
      return loss;
    };
    auto compiled = compile([&](const Tensor& x, const Tensor& y) { return step(net, optimizer, scale, x, y); });
    const Tensor x = images(), y = classes_of(x);
    for (int i = 0; i < 6; ++i) {
      CHECK(difference(compiled(x, y), step(same, other, other_scale, x, y)) == "");
      if (i == 3)
        for (Net* n : {&net, &same}) n->fc1.weight.assign_add(0.25);
    }
    for (std::size_t k = 0; k < nn::parameters(net).size(); ++k)
      CHECK(difference(nn::parameters(net)[k].variable().value(), nn::parameters(same)[k].variable().value()) == "");
    CHECK(compiled.stats().kept_values == 6);  // weight and bias of conv, fc1, fc2
    CHECK(compiled.stats().kept_made == 7);
  }
}

TEST_CASE("mixed precision trains as f32 does", "[nn][precision][compile]") {
  const auto train = [](DType precision) {
    random::seed(5);
    const Net net;
    nn::AdamW optimizer(net, {.learning_rate = 1e-2});
    nn::LossScale scale;
    const Tensor x = images(), y = classes_of(x);
    auto step = compile([&](const Tensor& a, const Tensor& b) {
      const nn::PrecisionScope scope(precision);
      GradientTape tape;
      const Tensor loss = mean(nn::softmax_cross_entropy(b, net(a)));
      scale.apply(optimizer, tape.gradient(scale.scaled(loss), net));
      return loss;
    });
    double loss = 0;
    for (int i = 0; i < 60; ++i) loss = step(x, y).item();
    return loss;
  };
  CHECK(train(f32) < 0.02);
  CHECK(train(DType::bf16) < 0.02);
  CHECK(train(DType::f16) < 0.02);
}

TEST_CASE("a convolutional net in bf16 begins where f32 does, to bf16's rounding, and learns as much",
          "[nn][precision][compile]") {
  struct Cnn {
    nn::Conv2d stem{1, 16, 3, {.padding = 1}, false}, depthwise{16, 16, 3, {.padding = 1, .groups = 16}},
        down{16, 32, 3, {.stride = 2, .padding = 1}}, single{32, 32, 1};
    nn::BatchNorm norm{16};
    nn::Linear head{32, 3};
    Tensor operator()(const Tensor& x) const {
      const Tensor h = max_pool2d(relu(norm(stem(x))), {2, 1}, {.stride = 1});
      return head(global_avg_pool(relu(single(relu(down(depthwise(h)))))));
    }
    WEFT_MEMBERS(stem, depthwise, down, single, norm, head)
  };
  const auto losses = [](DType precision) {
    random::seed(6);
    const Cnn net;
    nn::AdamW optimizer(net, {.learning_rate = 1e-2});
    const Tensor x = images(), y = classes_of(x);
    auto step = compile([&](const Tensor& a, const Tensor& b) {
      const nn::PrecisionScope scope(precision);
      GradientTape tape;
      const Tensor loss = mean(nn::softmax_cross_entropy(b, net(a)));
      const auto gradients = tape.gradient(loss, net);
      optimizer.apply(gradients);
      return std::pair{loss, gradients[net.down.weight]};
    });
    const auto [first, gradient] = step(x, y);
    Tensor last;
    for (int i = 0; i < 60; ++i) last = step(x, y).first;
    return std::tuple{first.item(), gradient, last.item()};
  };
  const auto [first, gradient, last] = losses(f32);
  const auto [narrow_first, narrow_gradient, narrow_last] = losses(DType::bf16);
  CHECK(last < first / 2);
  CHECK(narrow_last < first / 2);
  CHECK(std::abs(narrow_first - first) < 0.02 * first);
  CHECK(norm(narrow_gradient - gradient).item() < 0.05 * norm(gradient).item());
}

TEST_CASE("a precision is f32, bf16 or f16", "[nn][precision][errors]") {
  CHECK_THROWS_AS(nn::PrecisionScope(f64), DTypeError);
  CHECK_THROWS_AS(nn::PrecisionScope(i32), DTypeError);
  CHECK(nn::precision() == f32);
}
