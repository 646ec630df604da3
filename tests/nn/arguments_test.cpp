// Models as arguments of compiled functions: by what a call tells one from another.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("layers without tensors are arguments too, and options tell layers apart", "[compile][signature]") {
  struct Net {
    nn::Linear hidden{4, 6}, out{6, 3};
    nn::Dropout drop{0.5};
    nn::Gelu act;
    nn::MaxPool1d pool{2};
    WEFT_MEMBERS(hidden, drop, act, pool, out)
    Tensor operator()(const Tensor& x) const {
      const Tensor h = act(hidden(x));
      return out(drop(reshape(pool(reshape(concat({h, h}, 1), {-1, 1, 12})), {-1, 6})));
    }
  };
  const Tensor x = random::normal({5, 4});
  const Net net;
  auto predict = compile([](const Net& net, const Tensor& x) { return net(x); });
  {
    const nn::EvalScope eval;
    CHECK_SAME(predict(net, x), net(x));
  }
  const Tensor state = random::default_generator().state;
  const Tensor drawn = predict(net, x);
  random::default_generator().state.assign(state);
  CHECK_SAME(drawn, net(x));

  const nn::Sequential small(nn::Linear(4, 3), nn::Relu{}, nn::LeakyRelu{0.5}, nn::Softmax{});
  auto through = compile([](const auto& model, const Tensor& x) { return model(x); });
  CHECK_SAME(through(small, x), small(x));

  // The weights are of the same types: the options alone say which function it is.
  const Tensor image = random::normal({2, 3, 8, 8});
  auto conv = compile([](const nn::Conv2d& layer, const Tensor& x) { return layer(x); });
  for (const ConvOptions& options :
       {ConvOptions{}, {.stride = 2}, {.padding = 1}, {.padding = Pad::same}, {.dilation = 2}}) {
    const nn::Conv2d layer(3, 4, 3, options);
    CHECK_SAME(conv(layer, image), layer(image));
  }
  auto norm = compile([](const nn::LayerNorm& layer, const Tensor& x) { return layer(x); });
  for (const double epsilon : {1e-5, 1.0}) {
    const nn::LayerNorm layer({4}, epsilon);
    CHECK_SAME(norm(layer, x), layer(x));
  }
  auto leaky = compile([](const nn::LeakyRelu& layer) { return layer(tensor({-1})); });
  for (const double slope : {0.01, 0.5}) CHECK_SAME(leaky(nn::LeakyRelu{slope}), nn::LeakyRelu{slope}(tensor({-1})));
}

TEST_CASE("models that changed places are traced again", "[compile][signature]") {
  nn::Linear model(3, 2), average(3, 2);
  const Tensor x = random::normal({4, 3});
  auto predict = compile([&](const Tensor& x) { return model(x); });
  const Tensor before = predict(x), other = average(x);
  CHECK_SAME(before, model(x));
  std::swap(model, average);
  CHECK_SAME(predict(x), other);
  std::swap(model, average);
  CHECK_SAME(predict(x), before);
  CHECK(predict.stats().traces == 3);
}
