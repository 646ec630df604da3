// Norms, ties and approximations, where definitions differ, as PyTorch has them (tools/goldens.py).
#include "golden.h"

using namespace weft;
using namespace weft::test;
using Tensors = std::vector<Tensor>;

TEST_CASE("norms are PyTorch's: where epsilon stands, which variance, over which axes", "[golden]") {
  check_golden("layer_norm", {"x", "w", "b"}, [](const Tensors& t) {
    return layer_norm(t[0], {6, 3}, t[1], t[2], 1e-3);
  });
  check_golden("group_norm", {"x", "w", "b"}, [](const Tensors& t) { return group_norm(t[0], 3, t[1], t[2], 1e-3); });
  check_golden("rms_norm", {"x", "w"}, [](const Tensors& t) { return rms_norm(t[0], {6, 3}, t[1], 0.1); });
  check_golden("instance_norm", {"x"}, [](const Tensors& t) { return instance_norm(t[0], {}, {}, 1e-3); });
}

TEST_CASE("batch norm's running statistics move as PyTorch's", "[golden]") {
  for (const bool training : {true, false}) {
    const std::string name = training ? "batch_norm_training" : "batch_norm_evaluation";
    const auto layer = [&] {
      nn::BatchNorm norm(6, 1e-3, 0.2, true, f64);
      norm.weight->assign(golden(name + ".weight"));
      norm.bias->assign(golden(name + ".bias"));
      norm.running_mean.assign(golden(name + ".mean"));
      norm.running_var.assign(golden(name + ".var"));
      return norm;
    };
    const nn::ModeScope mode(training);
    const nn::BatchNorm moved = layer();
    check_golden(name, {"x"}, [&](const Tensors& t) { return moved(t[0]); });
    const nn::BatchNorm norm = layer();
    norm(golden(name + ".x"));
    CHECK_NEAR(norm.running_mean.value(), golden(name + ".new_mean"), 1e-14);
    CHECK_NEAR(norm.running_var.value(), golden(name + ".new_var"), 1e-14);
  }
}

TEST_CASE("ties, halves and approximations are PyTorch's", "[golden]") {
  check_golden("amax", {"x"}, [](const Tensors& t) { return max(t[0], 1); });
  check_golden("amin", {"x"}, [](const Tensors& t) { return min(t[0], 1); });
  check_golden("max_of_axis", {"x"}, [](const Tensors& t) { return max_with_indices(t[0], 1).values; });
  CHECK_SAME(cast(argmax(golden("argmax.x"), 1), f64), golden("argmax.y"));
  check_golden("var_unbiased", {"x"}, [](const Tensors& t) { return var(t[0], 1, false, 1); });
  check_golden("gelu", {"x"}, [](const Tensors& t) { return gelu(t[0]); });
  check_golden("gelu_tanh", {"x"}, [](const Tensors& t) { return gelu(t[0], true); });
  CHECK_SAME(round(golden("round.x")), golden("round.y"));
}

TEST_CASE("quantiles are PyTorch's: how far between which two elements", "[golden]") {
  for (const std::string name : {"even", "odd"}) {
    check_golden("median_" + name, {"x"}, [](const Tensors& t) { return median(t[0], 1); });
    check_golden("quantile_" + name, {"x"}, [](const Tensors& t) { return quantile(t[0], 0.3, 1); });
  }
}

TEST_CASE("NaN, infinities and zeros of both signs have PyTorch's order", "[golden]") {
  const Tensor x = golden("order.x");
  CHECK_SAME(cast(argsort(x), f64), golden("order.ascending"));
  CHECK_SAME(quantile(x, 0.5, 1), golden("order.quantile"));
  CHECK_SAME(cast(argmax(x, 1), f64), golden("order.argmax"));
  CHECK_SAME(cast(argmin(x, 1), f64), golden("order.argmin"));
}
