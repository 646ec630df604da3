// Ops that are not elementwise are as accurate as a rounding of each operand lets them be; what a rounding is.
#include <weft/ops/compose.h>

#include "roundings.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("ops that are not elementwise are within a few roundings of exact arithmetic") {
  Random random;
  for (const SampledOp& s : sampled_ops()) {
    if (!has_roundings(s)) continue;
    for (const OpSample& sample : s.samples(f32, random))
      for (const DType type : {f32, f64, DType::bf16, DType::f16}) {
        INFO(s.op->name << " of " << name_of(type) << " " << sample.attrs.text());
        if (const auto r = roundings(s, sample, type)) CHECK(r->worst <= promised_roundings);
      }
  }
}

TEST_CASE("f64 sums and products are held against exact ones") {
  Random random;
  int held = 0;
  for (const SampledOp& s : sampled_ops())
    if (has_roundings(s) && exact_in_pieces(s, s.samples(f32, random)[0])) ++held;
  CHECK(held >= 7);  // sum, cumsum, scatter_add, matmul, three convolutions
}

TEST_CASE("scatter_add of 16-bit floats adds up in f32") {
  for (const DType t : {DType::bf16, DType::f16}) {
    const Tensor sum = scatter_add(zeros({2}, t), zeros({4096}, i64), cast(ones({4096}), t));
    CHECK_VALUES(sum, 4096, 0);
  }
}

TEST_CASE("a rounding is one of the result, and of each operand as much as the result feels") {
  const Function naive = [](const Tensors& x) -> Tensors {  // a variance whose terms cancel
    return {mean(square(x[0])) - square(mean(x[0]))};
  };
  const Function stable = [](const Tensors& x) -> Tensors { return {var(x[0])}; };
  Random random;
  const Tensors far = {random_tensor(random, {1000}, f32, 1000, 1001)};
  CHECK(roundings(naive, far, f32).worst > 100);
  CHECK(roundings(stable, far, f32).worst < 2);
  // One rounding of a result that is exact otherwise, of 16 bits.
  const Function third = [](const Tensors& x) -> Tensors { return {x[0] / 3}; };
  for (const DType t : {DType::bf16, DType::f16}) {
    const double r = roundings(third, {cast(tensor({1, 2, 4, 5, 7}), t)}, t).worst;
    CHECK(r <= 1);
    CHECK(r > 0.5);
  }
  const Function off = [](const Tensors& x) -> Tensors { return {x[0].dtype() == f64 ? x[0] : x[0] * (1 + 0x1p-20)}; };
  CHECK(roundings(off, {ones({3})}, f32).worst == Approx(8).epsilon(0.2));  // 16 over one of each
}
