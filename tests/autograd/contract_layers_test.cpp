// A tape's contract: convolutions and pools, backward and forward.
#include <weft/autograd/forward.h>
#include <weft/ops/conv.h>
#include <weft/ops/pool.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Net {  // dense, relu, batch norm, convolution, dense
  Variable w1, b1, scale, window, w2;
  WEFT_MEMBERS(w1, b1, scale, window, w2)
  Tensor operator()(const Tensor& x) const {
    const Tensor h = relu(matmul(x, w1) + b1);
    const Tensor n = (h - mean(h, 0, true)) * rsqrt(var(h, 0, true) + 0.1) * scale;
    const Tensor c = conv2d(reshape(n, {-1, 1, 2, 2}), window, {.padding = Pad::same});
    return matmul(reshape(c, {-1, 8}), w2);
  }
};
Net net(Random& random) {
  return {Variable(random_tensor(random, {3, 4}, f64, -1, 1)), Variable(random_tensor(random, {4}, f64, 0.5, 1)),
          Variable(random_tensor(random, {4}, f64, 0.5, 1)), Variable(random_tensor(random, {2, 1, 2, 2}, f64, -1, 1)),
          Variable(random_tensor(random, {8, 2}, f64, -1, 1))};
}

}  // namespace

TEST_CASE("A pool over three axes gives each window's gradient to its largest element", "[tape][1.5.102]") {
  const NoLeaks guard;
  std::vector<float> numbers(24);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i + 1);
  const Tensor x = from_vector(numbers, {1, 3, 2, 4, 1});
  GradientTape tape;
  tape.watch(x);
  const Tensor y = max_pool3d(x, {2, 2, 1}, {.stride = 1, .padding = Pad::same, .channels_last = true});
  CHECK(y.shape() == x.shape());
  CHECK_VALUES(y, 13, 14, 15, 16, 13, 14, 15, 16, 21, 22, 23, 24, 21, 22, 23, 24, 21, 22, 23, 24, 21, 22, 23, 24);
  CHECK_GRADIENT(tape.gradient(y, x), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 0, 0, 0, 0, 4, 4, 4, 4);
}

TEST_CASE("The gradient of a convolution for its image alone", "[tape][1.5.87]") {
  const NoLeaks guard;
  Random random(3);
  const Tensor window = random_tensor(random, {2, 3, 1, 1}, f64);
  GradientTape tape;
  Tensor x = random_tensor(random, {2, 3, 4, 4}, f64);
  tape.watch(x);
  const Tensor y = conv2d(x, window);
  const Tensor dx = tape.gradient(y, x);
  const Tensor each = reshape(sum(window, 0), {1, 3, 1, 1});  // what every element of a channel goes into
  CHECK_NEAR(dx, contiguous(broadcast_to(each, x.shape())), 1e-14);
}

TEST_CASE("Dense, convolution and batch norm: the derivative along all variables, to order 2", "[forward][1.6.13]") {
  Random random(12);
  const Net f = net(random);
  const Tensor x = random_tensor(random, {5, 3}, f64);
  CHECK(gradcheck([](const Net& m, const Tensor& t) { return m(t); }, std::tuple(f, x)).message == "");
}

TEST_CASE("A Hessian times a vector of a net with a convolution, forward over reverse and reverse over reverse",
          "[forward][1.6.14]") {
  Random random(13);
  const Net f = net(random);
  const Tensor x = random_tensor(random, {5, 3}, f64);
  const NoLeaks guard;
  std::vector<Tensor> v;
  each_leaf(f, [&](const Variable& p) { v.push_back(ones(p.shape(), f64)); });
  const auto loss = [&] { return sum(square(f(x))); };
  Gradients forward, g;
  {
    const ForwardAccumulator acc(f, v);
    GradientTape tape;
    forward = acc.jvp(tape.gradient(loss(), f));
  }
  GradientTape outer;
  {
    GradientTape inner;
    g = inner.gradient(loss(), f);
  }
  std::vector<Tensor> targets;
  for (const auto& item : g) targets.push_back(item.gradient);
  const Gradients reverse = outer.gradient(targets, f, GradientOptions{.output_gradients = v});
  REQUIRE(forward.size() == 5);
  for (const auto& item : forward) CHECK_NEAR(item.gradient, reverse[Variable::handle(item.variable)], 1e-9);
}
