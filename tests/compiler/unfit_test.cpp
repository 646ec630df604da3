// Compiled code given indices far out (bad-input row 13): what eager code does, of every op of the table that takes
// any.
#include "../unfit.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

// The results, or the class and rule of what was thrown.
template <class F> std::pair<std::vector<Tensor>, std::string> outcome(F&& f) {
  try {
    return {f(), ""};
  } catch (const Error& e) { return {{}, std::string(typeid(e).name()) + ": " + e.rule()}; }
}

}  // namespace

TEST_CASE("indices that do not fit do compiled what they do eager, of every op, in gradients too",
          "[bad-input][bad-input.13]") {
  int refused = 0;
  for (const SampledOp& s : sampled_ops()) {
    if (!s.accepts(f32)) continue;
    Random random;
    for (const OpSample& sample : s.samples(f32, random)) {
      const auto f = [&](const std::vector<Tensor>& in) {
        GradientTape tape;
        for (const Tensor& t : in)
          if (is_floating(t.dtype())) tape.watch(t);
        std::vector<Tensor> out = run(*s.op, {sample.attrs, in});
        const std::vector<Tensor> gradients = tape.gradient(out, in, GradientOptions{.unconnected = Unconnected::zero});
        out.insert(out.end(), gradients.begin(), gradients.end());
        return out;
      };
      auto compiled = compile(f);
      for (std::size_t i = 0; i < sample.in.size(); ++i)
        for (const Tensor& other : unfit(sample.in[i])) {
          if (is_floating(other.dtype()) || other.type() != sample.in[i].type()) continue;
          INFO(s.op->name << " " << sample.attrs.text() << ", operand " << i);
          std::vector<Tensor> in = sample.in;
          in[i] = other;
          const auto [expected, error] = outcome([&] { return f(in); });
          const auto [results, compiled_error] = outcome([&] { return compiled(in); });
          CHECK(compiled_error == error);
          REQUIRE(results.size() == expected.size());
          for (std::size_t k = 0; k < expected.size(); ++k) CHECK_SAME(results[k], expected[k]);
          refused += error.empty() ? 0 : 1;
        }
    }
  }
  CHECK(refused > 6);
}
