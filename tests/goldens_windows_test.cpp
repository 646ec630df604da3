// Convolutions and pools, where definitions differ, as PyTorch has them (tools/goldens.py).
#include "golden.h"

using namespace weft;
using namespace weft::test;
using Tensors = std::vector<Tensor>;

TEST_CASE("max pools are PyTorch's: which of equal elements has the gradient, and padding never wins", "[golden]") {
  check_golden("max_pool", {"x"}, [](const Tensors& t) { return max_pool2d(t[0], 2); });
  check_golden("max_pool_padded", {"x"},
               [](const Tensors& t) { return max_pool2d(t[0], 3, {.stride = 2, .padding = 1}); });
  check_golden("max_pool_overlapping", {"x"}, [](const Tensors& t) { return max_pool2d(t[0], 3, {.stride = 1}); });
}

TEST_CASE("average pools are PyTorch's: whether padding counts, and how adaptive windows are cut", "[golden]") {
  check_golden("avg_pool_padded", {"x"},
               [](const Tensors& t) { return avg_pool2d(t[0], 3, {.stride = 2, .padding = 1}); });
  check_golden("avg_pool_excluded", {"x"}, [](const Tensors& t) {
    return avg_pool2d(t[0], 3, {.stride = 2, .padding = 1, .count_include_pad = false});
  });
  check_golden("adaptive_avg", {"x"}, [](const Tensors& t) { return adaptive_avg_pool2d(t[0], {3, 4}); });
  check_golden("adaptive_max", {"x"}, [](const Tensors& t) { return adaptive_max_pool2d(t[0], {3, 4}); });
  check_golden("adaptive_avg1d", {"x"}, [](const Tensors& t) { return adaptive_avg_pool1d(t[0], 8); });
  check_golden("adaptive_max1d", {"x"}, [](const Tensors& t) { return adaptive_max_pool1d(t[0], 8); });
  check_golden("adaptive_avg3d", {"x"}, [](const Tensors& t) { return adaptive_avg_pool3d(t[0], {2, 1, 3}); });
  check_golden("adaptive_max3d", {"x"}, [](const Tensors& t) { return adaptive_max_pool3d(t[0], {2, 1, 3}); });
}

TEST_CASE("convolutions are PyTorch's: same padding of even windows, groups, output padding", "[golden]") {
  check_golden("conv_same", {"x", "w", "b"},
               [](const Tensors& t) { return conv2d(t[0], t[1], t[2], {.padding = Pad::same}); });
  check_golden("conv_groups", {"x", "w"}, [](const Tensors& t) {
    return conv2d(t[0], t[1], {.stride = 2, .padding = {2, 1}, .dilation = {2, 1}, .groups = 2});
  });
  check_golden("conv_transpose", {"x", "w", "b"}, [](const Tensors& t) {
    return conv_transpose2d(t[0], t[1], t[2], {.stride = {3, 2}, .padding = 1, .output_padding = {1, 0}, .groups = 2});
  });
}
