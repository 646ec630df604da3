// Every built-in op, generated from the list in ops/table.h: compiled gives the bits of eager, and so do rules written
// with custom_gradient. Gradients: geometry_test.cpp.
#include <weft/autograd/custom_gradient.h>
#include <weft/autograd/tape.h>
#include <weft/compiler/compile.h>

#include "../op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {
using Tensors = std::vector<Tensor>;

void check_same(const Tensors& compiled, const Tensors& eager) {
  REQUIRE(compiled.size() == eager.size());
  for (std::size_t i = 0; i < eager.size(); ++i) CHECK_SAME(compiled[i], eager[i]);
}
}  // namespace

TEST_CASE("every op compiled gives the bits that it gives eager, of every type and layout", "[compile][table]") {
  Random random(11);
  for (const SampledOp& sampled : sampled_ops())
    for (DType t : all_dtypes) {
      if (!sampled.accepts(t)) continue;
      for (const OpSample& s : sampled.samples(t, random)) {
        INFO(sampled.op->name << " " << s.attrs.text() << " of " << s.in[0].type().text());
        auto f = compile([&](const Tensors& in) { return run(*sampled.op, {s.attrs, in}); });
        const Tensors eager = run(*sampled.op, s);
        check_same(f(s.in), eager);
        for (std::size_t i = 0; i < s.in.size(); ++i)
          for (const Tensor& other : laid_out_otherwise(s.in[i])) {
            Tensors in = s.in;
            in[i] = other;
            check_same(f(in), eager);
          }
      }
    }
}

TEST_CASE("custom_gradient traces: the rule is compiled, at both orders", "[compile][custom]") {
  const auto log1pexp = custom_gradient([](const Tensor& x) {
    const Tensor e = exp(x);
    return std::pair(log1p(e), [e](const Tensor& dy) { return dy * 100 * (1 - 1 / (1 + e)); });
  });
  const auto same =
      custom_gradient([](const Tensor& x) { return std::pair(x, [](const Tensor& dy) { return dy * 3; }); });
  const auto f = [&](const Tensor& x) {
    GradientTape outer;
    outer.watch(x);
    GradientTape inner;
    inner.watch(x);
    const Tensor y = log1pexp(same(x)), dy = inner.gradient(y, x);
    return std::tuple(y, dy, outer.gradient(dy, x));
  };
  const Tensor x = tensor({-1, 0.5, 90});
  const auto [y, dy, ddy] = compile(f)(x);
  const auto [ey, edy, eddy] = f(x);
  CHECK_SAME(y, ey);
  CHECK_SAME(dy, edy);
  CHECK_SAME(ddy, eddy);
  CHECK(edy.at({2}) == 300);
}
