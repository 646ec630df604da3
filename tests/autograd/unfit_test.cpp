// Derivatives of every op of the table with what does not fit: cotangents and tangents of another shape or dtype are
// refused at the door (bad-input row 19), and so are operands, under a tape and in forward mode as without.
#include <weft/autograd/forward.h>

#include "../unfit.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

// The first sample of each differentiable op that has elements, in f64.
template <class F> void each_differentiable(F f) {
  Random random;
  for (const SampledOp& s : sampled_ops()) {
    if (!s.op->differentiable || !s.accepts(f64)) continue;
    INFO(s.op->name);
    f(*s.op, s.samples(f64, random)[0]);
  }
}

bool no_other(const Tensor& a, const Tensor& b) { return a.type() == b.type(); }

}  // namespace

TEST_CASE("a cotangent of another shape or dtype is refused, of every op", "[bad-input.19]") {
  const NoLeaks guard;
  int refused = 0;
  each_differentiable([&](const Op& op, const OpSample& s) {
    const std::size_t outputs = static_cast<std::size_t>(op.outputs);
    for (std::size_t k = 0; k < outputs; ++k) {
      GradientTape tape({.persistent = true});
      for (const Tensor& t : s.in)
        if (is_floating(t.dtype())) tape.watch(t);
      const std::vector<Tensor> out = run(op, s);
      if (!is_floating(out[k].dtype())) continue;
      for (const Tensor& wrong : unfit(out[k])) {
        if (no_other(wrong, out[k])) continue;
        INFO(wrong.type().text() << " for output " << k << " " << out[k].type().text());
        std::vector<Tensor> seeds(outputs);
        seeds[k] = wrong;
        const auto gradient = [&] { return tape.gradient(out, s.in, GradientOptions{.output_gradients = seeds}); };
        if (wrong.dtype() != out[k].dtype())
          CHECK_THROWS_AS(gradient(), DTypeError);
        else
          CHECK_THROWS_AS(gradient(), ShapeError);
        ++refused;
      }
      CHECK(tape.gradient(out, s.in, GradientOptions{.unconnected = Unconnected::zero}).size() == s.in.size());
    }
  });
  CHECK(refused > 200);
}

TEST_CASE("a tangent of another shape or dtype is refused, of every op", "[bad-input.19]") {
  const NoLeaks guard;
  each_differentiable([&](const Op&, const OpSample& s) {
    for (const Tensor& primal : s.in) {
      if (!is_floating(primal.dtype())) continue;
      for (const Tensor& wrong : unfit(primal)) {
        if (no_other(wrong, primal)) continue;
        INFO(wrong.type().text() << " for " << primal.type().text());
        if (wrong.dtype() != primal.dtype())
          CHECK_THROWS_AS(ForwardAccumulator(primal, wrong), DTypeError);
        else
          CHECK_THROWS_AS(ForwardAccumulator(primal, wrong), ShapeError);
      }
    }
  });
}

TEST_CASE("an operand that does not fit is a typed error also in derivatives of every op, or has them", "[bad-input]") {
  const NoLeaks guard;
  int refused = 0, taken = 0;
  for (const SampledOp& s : sampled_ops()) {
    if (!s.op->differentiable || !s.accepts(f32)) continue;
    Random random;
    each_unfit(s, f32, random, [&](const Op& op, const OpSample& bad) {
      try {
        std::vector<Tensor> sources;
        for (const Tensor& t : bad.in)
          if (is_floating(t.dtype())) sources.push_back(t);
        const ForwardAccumulator forward(sources, sources);
        GradientTape tape;
        tape.watch(sources);
        const std::vector<Tensor> out = run(op, bad);
        const std::vector<Tensor> gradients =
            tape.gradient(out, sources, GradientOptions{.unconnected = Unconnected::zero});
        for (std::size_t i = 0; i < sources.size(); ++i) CHECK(gradients[i].type() == sources[i].type());
        for (const Tensor& y : out)
          if (const Tensor dy = forward.jvp(y); dy.defined()) CHECK(dy.type() == y.type());
        ++taken;
      } catch (const Error&) { ++refused; }
    });
  }
  CHECK(refused > 300);
  CHECK(taken > 300);
}
