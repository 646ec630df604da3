// W14: a Jacobian and a Hessian-vector product of a small tanh net, by its input.
#include <cmath>
#include <memory>

#include "numbers.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

const double unit = std::sqrt(3.0);

struct TanhMlp {
  Variable w1 = weight("W14.w1", 32, 64), b1 = zeros({64}), w2 = weight("W14.w2", 64, 32), b2 = zeros({32});

  Tensor operator()(const Tensor& x) const { return matmul(tanh(matmul(x, w1) + b1), w2) + b2; }
};

}  // namespace

Step tanh_jacobian(Mode mode) {
  const auto f = [net = std::make_shared<TanhMlp>()](const Tensor& x) {
    return jacobian([&](const Tensor& p) { return (*net)(p); })(x);
  };
  return make_step(mode, f, uniform("W14.x", {32}, -unit, unit));
}

Step tanh_hvp(Mode mode) {
  const auto f = [net = std::make_shared<TanhMlp>()](const Tensor& x, const Tensor& v) {
    return hvp([&](const Tensor& p) { return sum(square((*net)(p))); }, x, v);
  };
  return make_step(mode, f, uniform("W14.x", {64, 32}, -unit, unit), uniform("W14.v", {64, 32}, -unit, unit));
}

}  // namespace bench
