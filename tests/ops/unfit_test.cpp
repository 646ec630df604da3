// Every op of the table with one operand of another shape, rank or dtype than the others and the attributes ask for, or
// with indices far out (bad-input rows 3, 10, 12, 13): a typed error, or a result of the type that was inferred. Under
// AddressSanitizer this shows that no kernel trusts what the door did not look at (PyTorch's issue 195547).
#include "unfit.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("an operand that does not fit is a typed error of every op, or has a result", "[bad-input]") {
  int refused = 0, taken = 0;
  for (const SampledOp& s : sampled_ops()) {
    Random random;
    for (const DType t : all_dtypes) {
      if (!s.accepts(t)) continue;
      each_unfit(s, t, random, [&](const Op& op, const OpSample& bad) {
        try {
          const std::vector<Tensor> out = run(op, bad);
          for (const Tensor& y : out) CHECK(y.to_vector<double>().size() == static_cast<std::size_t>(y.size()));
          ++taken;
        } catch (const Error& e) {
          CHECK(e.op() == op.name);
          CHECK(e.operands().size() == bad.in.size());
          ++refused;
        }
      });
    }
  }
  CHECK(refused > 1000);
  CHECK(taken > 1000);
}

TEST_CASE("elementwise operands of other shapes or dtypes are refused at the door", "[bad-input][bad-input.19]") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct>) {
      if (arity<Struct>() < 2) return;
      const OpSample s = Sampler<Struct>::sample({2, 3}, usual_type<Struct>(), random);
      for (std::size_t i = 0; i < s.in.size(); ++i)
        for (const Tensor& other : unfit(s.in[i])) {
          INFO(Struct::name << ", operand " << i << " " << other.type().text());
          if (other.type() == s.in[i].type()) continue;
          OpSample bad = s;
          bad.in[i] = other;
          const bool shape = other.dtype() == s.in[i].dtype();
          if (shape)
            CHECK_THROWS_AS(run(op_of<Struct>(), bad), ShapeError);
          else
            CHECK_THROWS_AS(run(op_of<Struct>(), bad), DTypeError);
        }
    }
  });
}
