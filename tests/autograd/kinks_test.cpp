// Gradients where functions bend or jump, of every elementwise op of the table: a gradient lies between the slopes to
// the left and to the right, and forward mode says what reverse mode says. tests/compiler/contract_kinks_test.cpp has
// which of the values between it is.
#include <weft/autograd/forward.h>

#include "../op_samples.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double step = 1e-7;
const std::vector<double> places = {-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 6};

// All places for one operand, all pairs of them for two; masks of `where` come in turns.
std::vector<Tensor> operands(const OpSample& sample, std::size_t data) {
  const auto n = static_cast<std::int64_t>(places.size());
  std::vector<Tensor> in;
  for (std::size_t i = 0; i < sample.in.size(); ++i)
    in.push_back(filled({n * n}, sample.in[i].dtype(), [&](std::int64_t k) {
      return i < data ? static_cast<double>(k % 3 == 0) : places[static_cast<std::size_t>(i == data ? k / n : k % n)];
    }));
  return in;
}

}  // namespace

TEST_CASE("at kinks the gradient of every elementwise op lies between the slopes beside, forward as in reverse",
          "[gradcheck][kinks]") {
  const NoLeaks guard;
  Random random;
  std::size_t compared = 0;
  for (const SampledOp& s : sampled_ops()) {
    if (s.op->kind != OpKind::elementwise || s.op->run || !s.op->differentiable || !s.accepts(f64)) continue;
    const OpSample sample = s.samples(f64, random)[0];
    const std::size_t data = sample.in[0].dtype() == DType::boolean ? 1 : 0;
    const std::vector<Tensor> in = operands(sample, data);
    const auto at = [&](std::size_t i, double by) {
      std::vector<Tensor> moved = in;
      moved[i] = moved[i] + by;
      return run(*s.op, {sample.attrs, moved})[0].to_vector<double>();
    };
    const std::vector<double> y = run(*s.op, {sample.attrs, in})[0].to_vector<double>();
    for (std::size_t i = data; i < in.size(); ++i) {
      GradientTape tape;
      tape.watch(in[i]);
      const ForwardAccumulator forward(in[i], ones(in[i].shape(), f64));
      const Tensor out = run(*s.op, {sample.attrs, in})[0];
      const Tensor dy = forward.jvp(out, Unconnected::zero);
      const Tensor dx = tape.gradient(out, in[i], GradientOptions{.unconnected = Unconnected::zero});
      CHECK_NEAR(dx, dy, 1e-13);
      const std::vector<double> g = dx.to_vector<double>(), above = at(i, step), below = at(i, -step);
      for (std::size_t k = 0; k < g.size(); ++k) {
        const double left = (y[k] - below[k]) / step, right = (above[k] - y[k]) / step;
        if (!(std::abs(left) < 1e4 && std::abs(right) < 1e4)) continue;  // a jump, a pole, or no number
        INFO(s.op->name << " operand " << i << " at " << in[data].to_vector<double>()[k] << ", "
                        << in.back().to_vector<double>()[k] << ": " << g[k] << " between " << left << " and " << right);
        const double margin = 1e-4 * std::max({1.0, std::abs(left), std::abs(right)});
        CHECK((g[k] >= std::min(left, right) - margin && g[k] <= std::max(left, right) + margin));
        ++compared;
      }
    }
  }
  CHECK(compared > 2000);
}
