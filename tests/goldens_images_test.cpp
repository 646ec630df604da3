// Images resized, cut up and padded, where definitions differ, as PyTorch has them (tools/goldens.py).
#include "golden.h"

using namespace weft;
using namespace weft::test;
using Tensors = std::vector<Tensor>;

TEST_CASE("interpolation is PyTorch's, up and down, with corners aligned and not", "[golden]") {
  const auto check = [](const std::string& name, const Ints& size, const std::string& linear) {
    check_golden(name + "_nearest", {"x"}, [&](const Tensors& t) { return interpolate(t[0], size); });
    for (const bool corners : {false, true})
      check_golden(name + "_" + linear + (corners ? "_corners" : ""), {"x"},
                   [&](const Tensors& t) { return interpolate(t[0], size, Interpolation::linear, corners); });
  };
  for (const std::int64_t size : {1, 3, 7, 10}) check("resize_" + std::to_string(size), {size}, "linear");
  check("resize_up", {5, 9}, "bilinear");
  check("resize_down", {2, 3}, "bilinear");
  check("resize_both", {7, 1}, "bilinear");
  check("resize", {3, 2, 5}, "trilinear");
}

TEST_CASE("pixels of channels, columns of windows and paddings have PyTorch's order", "[golden]") {
  check_golden("pixel_shuffle", {"x"}, [](const Tensors& t) { return pixel_shuffle(t[0], 2); });
  check_golden("unfold", {"x"}, [](const Tensors& t) {
    return unfold(t[0], {2, 3}, {.stride = {2, 1}, .padding = {1, 1}, .dilation = {1, 2}});
  });
  check_golden("pad_reflect", {"x"}, [](const Tensors& t) {
    return pad(t[0], {0, 0, 1, 2}, {0, 0, 2, 1}, PadMode::reflect);
  });
  check_golden("pad_circular", {"x"}, [](const Tensors& t) {
    return pad(t[0], {0, 0, 1, 2}, {0, 0, 3, 1}, PadMode::circular);
  });
}
