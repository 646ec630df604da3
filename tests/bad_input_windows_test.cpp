// Every function of windows with every option that can't be (bad-input row 11).
#include <weft/weft.h>

#include <functional>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("strides, dilations, paddings, groups and windows that can't be, of every function of windows",
          "[bad-input.11]") {
  int refused = 0;
  const auto refuse = [&](const std::function<Tensor()>& f) {
    CHECK_THROWS_AS(f(), ArgumentError);
    ++refused;
  };
  for (int axes = 1; axes <= 3; ++axes) {
    INFO(axes << " axes");
    const auto shape = [&](std::int64_t a, std::int64_t b, std::int64_t n) {
      Shape s = Shape::filled(axes + 2, n);
      s[0] = a, s[1] = b;
      return s;
    };
    const Tensor x = ones(shape(1, 4, 5)), w = ones(shape(4, 4, 3)), large = ones(shape(4, 4, 6));
    const auto conv = [&](const Tensor& weight, const ConvOptions& o) {
      return axes == 1 ? conv1d(x, weight, o) : axes == 2 ? conv2d(x, weight, o) : conv3d(x, weight, o);
    };
    const auto transposed = [&](const ConvTransposeOptions& o) {
      return axes == 1 ? conv_transpose1d(x, w, o) : axes == 2 ? conv_transpose2d(x, w, o) : conv_transpose3d(x, w, o);
    };
    const auto largest = [&](std::int64_t window, const MaxPoolOptions& o) {
      return axes == 1 ? max_pool1d(x, window, o) : axes == 2 ? max_pool2d(x, window, o) : max_pool3d(x, window, o);
    };
    const auto average = [&](std::int64_t window, const AvgPoolOptions& o) {
      return axes == 1 ? avg_pool1d(x, window, o) : axes == 2 ? avg_pool2d(x, window, o) : avg_pool3d(x, window, o);
    };
    const auto adaptive = [&](std::int64_t results) {
      return axes == 1   ? adaptive_max_pool1d(x, results)
             : axes == 2 ? adaptive_max_pool2d(x, results)
                         : adaptive_max_pool3d(x, results);
    };
    const Ints kernel = Ints::filled(axes, 3);
    for (const std::int64_t none : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
      refuse([&] { return conv(w, {.stride = none}); });
      refuse([&] { return conv(w, {.dilation = none}); });
      refuse([&] { return conv(w, {.groups = none}); });
      refuse([&] { return transposed({.stride = none}); });
      refuse([&] { return transposed({.dilation = none}); });
      refuse([&] { return largest(3, {.stride = none}); });
      refuse([&] { return largest(3, {.dilation = none}); });
      refuse([&] { return largest(none, {.stride = 1}); });
      refuse([&] { return average(3, {.stride = none}); });
      refuse([&] { return average(none, {.stride = 1}); });
      refuse([&] { return adaptive(none); });
      refuse([&] { return unfold(x, kernel, {.stride = Ints::filled(axes, none)}); });
      refuse([&] { return unfold(x, kernel, {.dilation = Ints::filled(axes, none)}); });
      refuse([&] { return unfold(x, Ints::filled(axes, none)); });
      refuse([&] { return interpolate(x, Ints::filled(axes, none)); });
    }
    for (const std::int64_t negative : {std::int64_t{-1}, INT64_MIN}) {
      refuse([&] { return conv(w, {.padding = negative}); });
      refuse([&] { return largest(3, {.padding = negative}); });
      refuse([&] { return average(3, {.padding = negative}); });
      refuse([&] { return unfold(x, kernel, {.padding = Ints::filled(axes, negative)}); });
    }
    refuse([&] { return conv(w, {.groups = 3}); });  // divide no four channels
    refuse([&] { return conv(large, {}); });         // larger than what it goes over
    refuse([&] { return conv(w, {.dilation = 3}); });
    refuse([&] { return largest(6, {}); });
    refuse([&] { return average(6, {}); });
    refuse([&] { return largest(3, {.padding = 3}); });  // a window of padding alone
    refuse([&] { return unfold(x, Ints::filled(axes, 6)); });
  }
  CHECK(refused == 3 * (3 * 15 + 2 * 4 + 7));
}
