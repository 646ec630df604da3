// W9: softmax and layer norm over rows that fit the first cache, and their gradients.
#include <cmath>

#include "numbers.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

Tensor rows(std::string_view tag) { return uniform(tag, {4096, 768}, -std::sqrt(3.0), std::sqrt(3.0)); }

Tensor normalized(const Tensor& x, const Tensor& gain, const Tensor& bias) { return layer_norm(x, {768}, gain, bias); }

}  // namespace

Step softmax_rows(Mode mode) {
  return make_step(
      mode, [](const Tensor& x) { return softmax(x); }, rows("W9.x"));
}

Step softmax_gradient(Mode mode) {
  const auto f = [](const Tensor& x, const Tensor& g) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = softmax(x);
    return std::array{y, tape.gradient(y, x, GradientOptions{.output_gradients = {g}})};
  };
  return make_step(mode, f, rows("W9.x"), rows("W9.g"));
}

Step layer_norm_rows(Mode mode) { return make_step(mode, normalized, rows("W9.x"), ones({768}), zeros({768})); }

Step layer_norm_gradient(Mode mode) {
  const auto f = [](const Tensor& x, const Tensor& gain, const Tensor& bias, const Tensor& g) {
    GradientTape tape;
    tape.watch(x, gain, bias);
    const Tensor y = normalized(x, gain, bias);
    const auto [dx, dgain, dbias] = tape.gradient(y, x, gain, bias, GradientOptions{.output_gradients = {g}});
    return std::array{y, dx, dgain, dbias};
  };
  return make_step(mode, f, rows("W9.x"), ones({768}), zeros({768}), rows("W9.g"));
}

}  // namespace bench
