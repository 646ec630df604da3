// Nets with channels first: what is turned between convolutions and pools cancels, and no bit changes. The pass itself
// is drawn in pass_layouts_test.cpp.
#include <weft/autograd/tape.h>
#include <weft/compiler/compile.h>
#include <weft/ops/compose.h>
#include <weft/ops/conv.h>
#include <weft/ops/pool.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Net {
  Variable w1, b1, w2, b2;
  explicit Net(Random& r, DType t = f32)
      : w1(random_tensor(r, {8, 3, 3, 3}, t, -1, 1)),
        b1(random_tensor(r, {8}, t)),
        w2(random_tensor(r, {4, 8, 3, 3}, t, -1, 1)),
        b2(random_tensor(r, {4}, t)) {}

  Tensor operator()(const Tensor& x, bool channels_last) const {
    const ConvOptions conv{.padding = 1, .channels_last = channels_last};
    const Tensor h = max_pool2d(relu(conv2d(x, w1, b1, conv)), 2, {.channels_last = channels_last});
    return tanh(conv2d(h * sigmoid(h), w2, b2, conv));
  }
};

// How often the plan has such a step.
int steps(const std::string& plan, const std::string& what) {
  int n = 0;
  for (std::size_t at = plan.find(what); at != std::string::npos; at = plan.find(what, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("a net with channels first computes as one with channels last, with its input and result turned",
          "[compile][layouts]") {
  for (const DType t : {f32, DType::bf16}) {
    Random random(51);
    const Net net(random, t);
    const Tensor x = random_tensor(random, {2, 3, 8, 6}, t);
    auto first = compile([&](const Tensor& images) { return net(images, false); });
    auto last = compile([&](const Tensor& images) { return net(images, true); });
    CHECK_SAME(first(x), net(x, false));
    CHECK_SAME(first(x), transpose(last(transpose(x, Ints{0, 2, 3, 1})), Ints{0, 3, 1, 2}));
    const std::string plan = first.dump("plan"), other = last.dump("plan");
    INFO(plan);
    CHECK(steps(plan, ": kernel") == steps(other, ": kernel") + 1);  // which turns the result
    CHECK(steps(plan, ": copy") == 0);
  }
}

TEST_CASE("the gradients of a net with channels first are eager's to the bit", "[compile][layouts]") {
  for (const DType type : {f32, DType::bf16}) {
    Random random(52);
    const Net net(random, type);
    const Tensor x = random_tensor(random, {2, 3, 8, 6}, type), side = random_tensor(random, {2, 4, 4, 3}, type);
    const auto f = [&](const Tensor& t, const Tensor& s) {
      GradientTape tape;
      tape.watch(t);
      const Tensor y = net(t, false) * s;  // meets what is not turned
      const auto [dx, dw1, db1, dw2, db2] = tape.gradient(sum(square(y)), t, net.w1, net.b1, net.w2, net.b2);
      return std::tuple(y, dx, dw1, db1, dw2, db2);
    };
    const auto eager = f(x, side);
    const auto compiled = compile(f)(x, side);
    const auto list = [](const auto& results) {
      return std::apply([](const auto&... t) { return std::vector<Tensor>{t...}; }, results);
    };
    const std::vector<Tensor> a = list(compiled), b = list(eager);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK_SAME(a[i], b[i]);
  }
}
