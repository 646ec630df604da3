// Gradients of activations: gradcheck, forward mode, and what each says at its kinks.
#include <weft/autograd/forward.h>

#include "../op_samples.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

using Function = std::function<Tensor(const Tensor&)>;

struct Activation {
  const char* name;
  Function f;
  std::vector<double> at, gradient;  // where it bends, and what its gradient is there
};
const std::vector<Activation>& all() {
  constexpr double scale = 1.0507009873554805, alpha = 1.6732632423543772;
  static const std::vector<Activation> list = {
      {"relu", [](const Tensor& t) { return relu(t); }, {-0.0, 0}, {0, 0}},
      {"relu6", [](const Tensor& t) { return relu6(t); }, {0, 6}, {0, 0}},
      {"leaky_relu", [](const Tensor& t) { return leaky_relu(t, 0.25); }, {0}, {0.25}},
      {"prelu", [](const Tensor& t) { return prelu(t, 0.25); }, {0}, {0.25}},
      {"elu", [](const Tensor& t) { return elu(t, 0.5); }, {0}, {0.5}},
      {"selu", [](const Tensor& t) { return selu(t); }, {0}, {scale * alpha}},
      {"celu", [](const Tensor& t) { return celu(t, 2); }, {0}, {1}},
      {"gelu", [](const Tensor& t) { return gelu(t); }, {0}, {0.5}},
      {"gelu by tanh", [](const Tensor& t) { return gelu(t, true); }, {0}, {0.5}},
      {"silu", [](const Tensor& t) { return silu(t); }, {0}, {0.5}},
      {"mish", [](const Tensor& t) { return mish(t); }, {0}, {0.6}},
      {"softplus", [](const Tensor& t) { return softplus(t); }, {0, -1000, 1000}, {0.5, 0, 1}},
      {"softsign", [](const Tensor& t) { return softsign(t); }, {0}, {1}},
      {"log_sigmoid", [](const Tensor& t) { return log_sigmoid(t); }, {0, -1000, 1000}, {0.5, 1, 0}},
      {"hard_sigmoid", [](const Tensor& t) { return hard_sigmoid(t); }, {-3, 0, 3}, {0, 1.0 / 6, 0}},
      {"hard_swish", [](const Tensor& t) { return hard_swish(t); }, {-3, 0, 3}, {0, 0.5, 1}}};
  return list;
}

}  // namespace

TEST_CASE("activations pass gradcheck at orders 1 and 2", "[gradcheck]") {
  Random random(61);
  const Tensor x = random_tensor(random, {3, 4}, f64), w = random_tensor(random, {4}, f64);
  for (const Activation& a : all()) {
    INFO(a.name);
    CHECK(gradcheck(a.f, x).message == "");
  }
  CHECK(gradcheck([](const Tensor& t) { return glu(t, -1); }, x).message == "");
  CHECK(gradcheck([](const Tensor& t, const Tensor& s) { return prelu(t, s); }, std::tuple(x, w)).message == "");
  CHECK(gradcheck([](const Tensor& a, const Tensor& b, const Tensor& c) { return lerp(a, b, c); },
                  std::tuple(x, w, x + 1))
            .message == "");
  CHECK(gradcheck([](const Tensor& t) { return frac(t) * t; }, random_tensor(random, {5}, f64, 1.1, 1.9)).message ==
        "");
}

TEST_CASE("at its kinks an activation has the gradient that it promises, backward and forward") {
  for (const Activation& a : all()) {
    INFO(a.name);
    const Tensor x = from_vector(a.at);
    GradientTape tape;
    tape.watch(x);
    ForwardAccumulator acc(x, ones_like(x));
    const Tensor y = a.f(x);
    CHECK_NEAR(acc.jvp(y), from_vector(a.gradient), 1e-15);
    CHECK_NEAR(tape.gradient(y, x), from_vector(a.gradient), 1e-15);
  }
}

TEST_CASE("maths at its kinks: xlogy, logaddexp, hypot, fmax, copysign") {
  const auto gradients = [](const auto& f, double a, double b) {
    const Tensor x = tensor<double>(a), y = tensor<double>(b);
    GradientTape tape;
    tape.watch(x), tape.watch(y);
    auto [dx, dy] = tape.gradient(f(x, y), x, y);
    return std::vector<double>{dx.template item<double>(), dy.template item<double>()};
  };
  using Pair = std::vector<double>;
  const auto xlogy_of = [](const Tensor& x, const Tensor& y) { return xlogy(x, y); };
  CHECK(gradients(xlogy_of, 0, 0) == Pair{0, 0});
  CHECK(gradients(xlogy_of, 0, -1) == Pair{0, 0});
  CHECK(gradients(xlogy_of, 0, 2) == Pair{std::log(2.0), 0});
  CHECK(gradients(xlogy_of, 3, 2) == Pair{std::log(2.0), 1.5});
  const auto logaddexp_of = [](const Tensor& x, const Tensor& y) { return logaddexp(x, y); };
  CHECK(gradients(logaddexp_of, -INFINITY, -INFINITY) == Pair{0.5, 0.5});
  CHECK(gradients(logaddexp_of, 1, 1) == Pair{0.5, 0.5});
  CHECK(gradients(logaddexp_of, -INFINITY, 1) == Pair{0, 1});
  const auto hypot_of = [](const Tensor& x, const Tensor& y) { return hypot(x, y); };
  CHECK(gradients(hypot_of, 0, 0) == Pair{0, 0});
  CHECK(gradients(hypot_of, 3, -4) == Pair{0.6, -0.8});
  const auto hypot_slope = [](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    tape.watch(x);
    return tape.gradient(hypot(x, y), x);
  };
  CHECK(gradients(hypot_slope, 1e-160, 0) == Pair{0, 0});  // y^2 / h^3, and -x y / h^3
  const auto fmax_of = [](const Tensor& x, const Tensor& y) { return fmax(x, y); };
  CHECK(gradients(fmax_of, 2, 2) == Pair{1, 0});
  CHECK(gradients(fmax_of, NAN, 2) == Pair{0, 1});
  CHECK(gradients(fmax_of, 2, NAN) == Pair{1, 0});
  const auto fmin_of = [](const Tensor& x, const Tensor& y) { return fmin(x, y); };
  CHECK(gradients(fmin_of, 2, 2) == Pair{1, 0});
  CHECK(gradients(fmin_of, NAN, 2) == Pair{0, 1});
  const auto copysign_of = [](const Tensor& x, const Tensor& y) { return copysign(x, y); };
  CHECK(gradients(copysign_of, 2, -0.0) == Pair{-1, 0});
  CHECK(gradients(copysign_of, 0, 1) == Pair{0, 0});
}

TEST_CASE("the second derivative of logaddexp on the diagonal is not lost", "[gradcheck]") {
  CHECK(gradcheck([](const Tensor& a, const Tensor& b) { return logaddexp(a, b); },
                  std::tuple(tensor<double>({1, 0.5}), tensor<double>({1, 0.5})))
            .message == "");
  CHECK(gradcheck([](const Tensor& a, const Tensor& b) { return xlogy(a, b); },
                  std::tuple(tensor<double>({0, 0.5}), tensor<double>({2, 0.5})))
            .message == "");
}
