// Activations compiled, with their gradients, give the bits that they give eager, kinks and NaN among the inputs.
#include <weft/autograd/tape.h>
#include <weft/compiler/compile.h>
#include <weft/ops/activations.h>
#include <weft/ops/compose.h>

#include "../op_samples.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("activations and their gradients compiled are the eager ones to the bit", "[compile]") {
  const std::pair<const char*, std::function<Tensor(const Tensor&)>> all[] = {
      {"relu6", [](const Tensor& t) { return relu6(t); }},
      {"leaky_relu", [](const Tensor& t) { return leaky_relu(t, 0.25); }},
      {"prelu", [](const Tensor& t) { return prelu(t, 0.25); }},
      {"elu, selu, celu", [](const Tensor& t) { return elu(t, 0.5) + selu(t) * celu(t, 2); }},
      {"mish", [](const Tensor& t) { return mish(t); }},
      {"softsign", [](const Tensor& t) { return softsign(t); }},
      {"log_sigmoid", [](const Tensor& t) { return log_sigmoid(t); }},
      {"hard_swish", [](const Tensor& t) { return hard_swish(t) + hard_sigmoid(t); }},
      {"glu", [](const Tensor& t) { return glu(t); }},
      {"lerp, frac", [](const Tensor& t) { return lerp(t, frac(t), 0.3); }}};
  Random random(7);
  for (DType type : {f32, f64, DType::bf16}) {
    std::vector<double> values = {0, -0.0, 3, -3, 6, NAN, INFINITY, -INFINITY, 100, -100};
    while (values.size() < 74) values.push_back(random.uniform(-8, 8));
    const Tensor x = cast(reshape(from_vector(values), {1, 74}), type);
    for (const auto& [name, f] : all) {
      INFO(name << " of " << name_of(type));
      const auto both = [&](const Tensor& t) {
        GradientTape tape;
        tape.watch(t);
        const Tensor y = f(t), loss = sum(cast(y, f64));
        return std::pair(y, tape.gradient(loss, t));
      };
      auto compiled = compile(both);
      const auto [y, dy] = compiled(x);
      const auto [want, dwant] = both(x);
      CHECK_SAME(y, want);
      CHECK_SAME(dy, dwant);
    }
  }
}
