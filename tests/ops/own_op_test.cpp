// An op of the user's own: one struct, one line, and it runs, differentiates its formula's bits included.
#include <weft/ops/own_op.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

// x^2 + y / 2 where x < y, else e^x; no loops are built in for it: it runs from its formula.
struct Mine : Elementwise<Mine> {
  static constexpr auto name = "mine";
  static constexpr auto accepts = Accepts::floats;
  WEFT_EVAL(V x, V y) { return where(x < y, fma(x, x, y / V(2)), math::exp(x)); }
};
struct Bits : Elementwise<Bits> {
  static constexpr auto name = "bits";
  static constexpr auto accepts = Accepts::numbers;
  static constexpr bool boolean_result = true;
  WEFT_EVAL(V x) { return (!(x * x <= V(4))) | (x == V(1)); }
};
struct Halves {  // an op of two outputs
  static constexpr auto name = "halves";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr int outputs = 2;
  static void infer(const Attrs&, Types in, std::span<Type> out) {
    if (in[0]->shape.size() != 1 || in[0]->shape[0] % 2) throw ShapeError("an even number of elements is needed");
    out[0] = out[1] = {in[0]->dtype, {in[0]->shape[0] / 2}};
  }
  static void run(const Attrs&, Views in, Views out) {
    for (int k : {0, 1}) {
      View half = in[0];
      half.shape = out[0].shape;
      half.data = in[0].as<std::byte>() +
                  k * out[0].shape[0] * in[0].strides[0] * static_cast<std::int64_t>(size_of(in[0].dtype));
      copy_elements(half, out[static_cast<std::size_t>(k)]);
    }
  }
};
WEFT_DEFINE_OP(Mine);
WEFT_DEFINE_OP(Bits);
WEFT_DEFINE_OP(Halves);

namespace {
Tensor mine(const Arg& x, const Arg& y) { return detail::binary<Mine>(x, y); }
}  // namespace

TEST_CASE("an elementwise op of one's own runs from its formula, as the built-in ops would compute it") {
  Random random;
  for (DType t : {f32, f64}) {
    const Tensor x = random_tensor(random, {3, 700}, t), y = random_tensor(random, {700}, t);
    const Tensor wide = broadcast_to(y, x.shape());
    // a fused multiply-add, rounded once: what f64 gives for f32, and long double for f64 closely enough to compare
    // here
    const Tensor expected = where(x < y, cast(square(cast(x, f64)) + cast(wide, f64) / 2, t), exp(x));
    CHECK_NEAR(mine(x, y), expected, t == f32 ? 1e-7 : 1e-15);
    CHECK_SAME(where(x < y, 0, mine(x, y)), where(x < y, 0, exp(x)));
    CHECK_SAME(mine(transpose(contiguous(transpose(x))), wide), mine(x, y));
  }
  CHECK(mine(ones({0}), 1).size() == 0);
  CHECK_SAME(mine(cast(tensor({2, 0.5}), DType::bf16), 1), cast(mine(tensor({2, 0.5}), 1), DType::bf16));
  CHECK_THROWS_AS(mine(zeros({2}, i32), 1), DTypeError);
  CHECK_THROWS_AS(mine(zeros({2}), zeros({3})), ShapeError);
}

TEST_CASE("masks come out of an own op as bools, of every number type") {
  for (DType t : {f32, f64, i32, i64, u8, DType::f16}) {
    INFO(name_of(t));
    CHECK(detail::unary<Bits>(cast(tensor({0, 1, 2, 3}), t)).to_vector<bool>() ==
          std::vector<bool>{false, true, false, true});
  }
}

TEST_CASE("an op of several outputs gives them all") {
  std::vector<Tensor> out(2);
  const Tensor x = tensor({1, 2, 3, 4});
  apply(op_of<Halves>(), {}, std::span(&x, 1), out);
  CHECK_VALUES(out[0], 1, 2);
  CHECK_VALUES(out[1], 3, 4);
  const Tensor odd = zeros({3});
  CHECK(message_of<ShapeError>([&] { apply(op_of<Halves>(), {}, std::span(&odd, 1), out); }) ==
        "halves: an even number of elements is needed\n  in0  f32[3]");
}
