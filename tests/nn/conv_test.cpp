// Convolution and pooling layers.
#include <weft/weft.h>

#include <cmath>
#include <string>

#include "../support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("convolution layers are their functions, with weights in the fan-in's bounds", "[conv]") {
  Random random(41);
  const nn::Conv2d conv(3, 8, 3, {.stride = 2, .padding = Pad::same});
  CHECK(conv.weight.shape() == Shape{8, 3, 3, 3});
  CHECK(conv.bias->shape() == Shape{8});
  const double bound = std::sqrt(6.0 / 27);
  CHECK(max(abs(conv.weight)).item() <= bound);
  CHECK(max(abs(conv.weight)).item() > bound / 2);
  const Tensor x = random_tensor(random, {2, 3, 7, 6}, f32);
  CHECK_SAME(conv(x), conv2d(x, conv.weight, *conv.bias, {.stride = 2, .padding = Pad::same}));
  CHECK(conv.text() == "Conv2d 3 -> 8, window [3, 3], stride [2, 2]");
  CHECK(nn::Conv1d(4, 6, 5, {.groups = 2}, false).text() == "Conv1d 4 -> 6, window [5], 2 groups without bias");
  CHECK(nn::Conv3d(1, 2, {1, 2, 3}, {}, true, nn::init::zeros, f64)(zeros({1, 1, 2, 2, 3}, f64)).shape() ==
        Shape{1, 2, 2, 1, 1});

  const nn::ConvTranspose2d up(8, 6, 4, {.stride = 2, .padding = 1, .groups = 2});
  CHECK(up.weight.shape() == Shape{8, 3, 4, 4});
  CHECK(up(zeros({1, 8, 5, 5})).shape() == Shape{1, 6, 10, 10});
  CHECK(max(abs(up.weight)).item() <= std::sqrt(6.0 / (4 * 16)));  // each result sums 4 channels of 16 taps at most
  CHECK(up.text() == "ConvTranspose2d 8 -> 6, window [4, 4], stride [2, 2], 2 groups");
  CHECK_SAME(nn::ConvTranspose1d(2, 3, 2)(zeros({1, 2, 4})), zeros({1, 3, 5}));
}

TEST_CASE("convolution layers refuse what can't be", "[conv]") {
  CHECK(message_of<ArgumentError>([] { nn::Conv2d(0, 3, 3); }) ==
        "Conv2d: 0 -> 3\n  at HERE\n  hint: both extents are at least 1");
  CHECK(message_of<ArgumentError>([] { nn::Conv2d(4, 6, 3, {.groups = 4}); }) ==
        "Conv2d: 4 groups of 4 -> 6\n  at HERE\n  hint: groups divides both");
  CHECK(message_of<ArgumentError>([] { nn::ConvTranspose1d(4, 6, 0); }) ==
        "ConvTranspose1d: window [0] is below 1\n  at HERE");
  CHECK_THROWS_AS(nn::Conv1d(4, 6, 3, {.groups = 0}), ArgumentError);
  CHECK_THROWS_AS(nn::Conv1d(4, 6, {3, 3}), ArgumentError);
  const nn::Conv2d conv(3, 8, 3);
  nn::name_parameters(conv);
  CHECK(message_of<ShapeError>([&] {
          conv(zeros({2, 4, 5, 5}));
        }) ==
        "conv2d: the input has 4 channels, the weight takes 3\n"
        "  x      f32[2, 4, 5, 5]\n"
        "  weight f32[8, 3, 3, 3] \"weight\"\n"
        "  bias   f32[8]         \"bias\"\n"
        "  at HERE\n"
        "  hint: the weight is [out, in / groups, window...]; x is [n, channels, axes...], or, with "
        ".channels_last = true, [n, axes..., channels]");
}

TEST_CASE("a convolutional net is summed up, and trains", "[conv]") {
  random::Generator g(3);
  const nn::Sequential net(nn::Conv2d(1, 4, 3, {.padding = 1}, true, nn::init::he_uniform, f32, g), nn::Relu{},
                           nn::MaxPool2d{2}, nn::Conv2d(4, 8, 3, {.padding = 1}, true, nn::init::he_uniform, f32, g),
                           nn::Relu{}, nn::AvgPool2d{2}, nn::Flatten{},
                           nn::Linear(32, 2, true, nn::init::he_uniform, f32, g));
  CHECK(nn::summary(net) ==
        "layer  kind                          variables                            count\n"
        "0      Conv2d 1 -> 4, window [3, 3]  weight f32[4, 1, 3, 3], bias f32[4]     40\n"
        "1      Relu                                                                   0\n"
        "2      MaxPool2d [2, 2]                                                       0\n"
        "3      Conv2d 4 -> 8, window [3, 3]  weight f32[8, 4, 3, 3], bias f32[8]    296\n"
        "4      Relu                                                                   0\n"
        "5      AvgPool2d [2, 2]                                                       0\n"
        "6      Flatten                                                                0\n"
        "7      Linear 32 -> 2                weight f32[32, 2], bias f32[2]          66\n"
        "402 parameters (402 trained, 0 not), 1608 B\n");
  // is the bright square in the upper or the lower half?
  Random random(42);
  const Tensor y = cast(tensor({0, 1, 0, 1, 0, 1, 0, 1}), i64);
  const Tensor x = filled({8, 1, 8, 8}, f32, [&](std::int64_t i) {
    const bool lower = i / 64 % 2 == 1, here = (i / 8 % 8 >= 4) == lower;
    return random.uniform(-1, 1) + (here ? 1 : 0);
  });
  nn::SGD opt(net, {.learning_rate = 0.05});
  auto plain = [&] {
    GradientTape tape;
    const Tensor loss = mean(nn::softmax_cross_entropy(y, net(x)));
    opt.apply(tape.gradient(loss, net));
    return loss;
  };
  const double first = plain().item();
  auto step = compile(plain);
  for (int i = 0; i < 100; ++i) step();
  CHECK(plain().item() < first / 10);
}

TEST_CASE("pooling layers are their functions", "[pool]") {
  Random random(43);
  const Tensor x = random_tensor(random, {2, 3, 6, 8}, f32);
  CHECK_SAME(nn::MaxPool2d{2}(x), max_pool2d(x, 2));
  CHECK_SAME((nn::MaxPool2d{3, {.stride = 1, .padding = 1}}(x)), max_pool2d(x, 3, {.stride = 1, .padding = 1}));
  CHECK_SAME((nn::AvgPool2d{{2, 4}}(x)), avg_pool2d(x, {2, 4}));
  CHECK_SAME(nn::AdaptiveAvgPool2d{4}(x), adaptive_avg_pool2d(x, 4));
  CHECK_SAME(nn::AdaptiveMaxPool2d{4}(x), adaptive_max_pool2d(x, 4));
  CHECK_SAME(nn::GlobalAvgPool{}(x), mean(x, {2, 3}));
  CHECK_SAME(nn::GlobalMaxPool{true}(x), max(x, {1, 2}));
  CHECK(nn::Flatten{}(x).shape() == Shape{2, 144});
  CHECK(nn::Flatten{}(zeros({0, 3, 2})).shape() == Shape{0, 6});
  CHECK(nn::Flatten{}(zeros({4})).shape() == Shape{4, 1});
  CHECK(message_of<ShapeError>([] { nn::Flatten{}(zeros({})); }) ==
        "Flatten: there is no batch axis\n  x    f32[]\n  at HERE");
  CHECK(nn::AdaptiveAvgPool1d{3}.text() == "AdaptiveAvgPool1d [3]");
  CHECK(nn::AvgPool3d{{1, 2, 2}}.text() == "AvgPool3d [1, 2, 2]");
}
