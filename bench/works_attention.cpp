// W13: causal self-attention, and its gradient.
#include <cmath>

#include "numbers.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

Tensor heads(std::string_view tag) { return uniform(tag, {4, 12, 256, 64}, -std::sqrt(3.0), std::sqrt(3.0)); }

Tensor causal(const Tensor& q, const Tensor& k, const Tensor& v) {
  return scaled_dot_product_attention(q, k, v, {.causal = true});
}

}  // namespace

Step attention(Mode mode) { return make_step(mode, causal, heads("W13.q"), heads("W13.k"), heads("W13.v")); }

Step attention_gradient(Mode mode) {
  const auto f = [](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& g) {
    GradientTape tape;
    tape.watch(q, k, v);
    const Tensor y = causal(q, k, v);
    const auto [dq, dk, dv] = tape.gradient(y, q, k, v, GradientOptions{.output_gradients = {g}});
    return std::array{y, dq, dk, dv};
  };
  return make_step(mode, f, heads("W13.q"), heads("W13.k"), heads("W13.v"), heads("W13.g"));
}

}  // namespace bench
