// Compiled functions where variables are read otherwise.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("a compiled function that substitutes, or is called where somebody does", "[substitute]") {
  Variable w = full({2}, 3);
  auto f = compile([&](const Tensor& x) { return x * w; });
  const Tensor x = tensor({1, 2});
  CHECK_VALUES(f(x), 3, 6);
  Gradients values;
  values.add(w, full({2}, 10));
  {
    const SubstituteScope scope(values);
    CHECK_VALUES(f(x), 10, 20);
    CHECK_THROWS_AS(f.lower(tensor({1, 2, 3})), GuardError);
  }
  CHECK_VALUES(f(x), 3, 6);
  const auto after_step = [&](const Tensor& t) {
    GradientTape outer;
    Gradients next;
    {
      GradientTape inner;
      const Tensor dw = inner.gradient(sum(square(t * w)), w);
      next.add(w, w - 0.5 * dw);
    }
    const SubstituteScope scope(next);
    const Tensor loss = sum(t * w * w);
    return std::pair(loss, outer.gradient(loss, w));
  };
  auto compiled = compile(after_step);
  CHECK_SAME(compiled(x).first, after_step(x).first);
  w.assign_add(1);
  CHECK_SAME(compiled(x).first, after_step(x).first);
}
