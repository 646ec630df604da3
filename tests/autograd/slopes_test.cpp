// Gradients where the formula of the textbook would lose them: far from 0, near it, in 16 bits.
#include <weft/autograd/tape.h>
#include <weft/ops/activations.h>

#include <cmath>
#include <utility>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("far below 0 the slopes of elu, celu and selu are e^x still") {
  const auto slope = [](const auto& f, double at) {
    const Tensor x = tensor({at});
    GradientTape tape;
    tape.watch(x);
    return tape.gradient(f(x), x).item();
  };
  for (const double x : {-5.0, -14.0, -30.0, -80.0}) {
    CHECK(slope([](const Tensor& t) { return elu(t, 1); }, x) == Approx(std::exp(x)).epsilon(1e-6));
    CHECK(slope([](const Tensor& t) { return celu(t, 2); }, x) == Approx(std::exp(x / 2)).epsilon(1e-5));
    CHECK(slope([](const Tensor& t) { return selu(t); }, x) == Approx(1.7580993408473766 * std::exp(x)).epsilon(1e-6));
  }
}

TEST_CASE("atan2's gradient is as far from 0 and as near as its operands may be") {
  const auto gradient = [](double y, double x, DType dtype) {
    const Tensor a = tensor({y}, dtype), b = tensor({x}, dtype);
    GradientTape tape;
    tape.watch(a, b);
    const auto [da, db] = tape.gradient(atan2(a, b), a, b);
    return std::pair(da.item(), db.item());
  };
  const auto near = gradient(1e-25, 2e-25, f32), half = gradient(300, 400, f16), origin = gradient(0, 0, f32);
  CHECK(near.first == Approx(4e24).epsilon(1e-6));
  CHECK(near.second == Approx(-2e24).epsilon(1e-6));
  CHECK(half.first == Approx(0.0016).epsilon(2e-3));
  CHECK(half.second == Approx(-0.0012).epsilon(2e-3));
  CHECK(origin == std::pair(0.0, 0.0));
}
