// Every composition of compositions.h compiled: the bits of eager, with its gradient.
#include <weft/autograd/tape.h>
#include <weft/autograd/vmap.h>
#include <weft/compiler/compile.h>
#include <weft/ops/select.h>

#include "../compositions.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("a composition compiled gives the bits that it gives eager, and so does its gradient",
          "[compile][compositions]") {
  Random random(23);
  for (const Composition& c : compositions()) {
    INFO(c.name);
    const auto with_gradient = [&](const Tensor& x) {
      GradientTape tape;
      tape.watch(x);
      const Tensor y = c.f(x);
      return std::pair(y, tape.gradient(y, x));
    };
    auto compiled = compile(with_gradient);
    for (DType t : {f64, f32, DType::bf16}) {
      if (c.exact && t == DType::bf16) continue;
      const Tensor x = random_tensor(random, c.shape, t);
      const auto [y, dx] = with_gradient(x);
      const auto [cy, cdx] = compiled(x);
      CHECK_SAME(cy, y);
      CHECK_SAME(cdx, dx);
    }
  }
}

TEST_CASE("a mask's count of elements is not known in a trace: a GuardError says what to use",
          "[golden][compositions]") {
  const Tensor x = tensor({1, -2, 3});
  auto f = compile([](const Tensor& t) { return sum(t[t > 0]); });
  const std::string text = message_of<GuardError>([&] { f(x); });
  CHECK(
      text.find("index: how many elements there are depends on values, which are not known while a function is traced\n"
                "  x    f32[3]\n  idx  bool[3]\n  at ") == 0);
  CHECK(
      text.find("hint: where(mask, a, b) and masked_fill(x, mask, value) keep the shape; or do this before the call") !=
      std::string::npos);
  CHECK_THROWS_AS(vmap([](const Tensor& t) { return t[t > 0]; })(expand(x, 0)), GuardError);
  CHECK_THROWS_AS(compile([](const Tensor& t) { return nonzero(t)[0]; })(x), GuardError);
  CHECK_THROWS_AS(compile([](const Tensor& t) { return masked_select(t, t > 0); })(x), GuardError);
  CHECK_THROWS_AS(compile([](const Tensor& t) { return unique(t).values; })(x), GuardError);
  const Tensor mask = x > 0;  // known before the call
  CHECK_VALUES(compile([&](const Tensor& t) { return t[mask]; })(x), 1, 3);
  CHECK_VALUES(compile([&](const Tensor& t) { return masked_select(t, mask) + unique(x).values[0]; })(x), -1, 1);
}

TEST_CASE("a bad index and a singular matrix in compiled code leave variables as they were", "[compositions]") {
  Variable calls(zeros({}));
  auto pick = compile([&](const Tensor& x, const Tensor& i) {
    calls.assign_add(1);
    return x[{i, i}] + sum(inv(x));
  });
  const Tensor good = eye(2), at = ints({0, 1});
  pick(good, at);
  CHECK(message_of<IndexError>([&] {
          pick(good, ints({0, 2}));
        }).find("index 2 at [1] must be within [-2, 1]") != std::string::npos);
  CHECK_THROWS_AS(pick(ones({2, 2}), at), NumericsError);
  CHECK(calls.value().item() == 1);
}
