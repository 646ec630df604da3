// Nets with channels first: what is turned between convolutions and pools cancels, and no bit changes. The pass itself
// is drawn in pass_layouts_test.cpp.
#include <weft/autograd/control_flow.h>
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

TEST_CASE("a result that is a transpose of what is computed is one, as eager's is", "[compile][layouts]") {
  Random random(53);
  const Tensor x = random_tensor(random, {2, 6, 5, 3}, f32), w = random_tensor(random, {4, 3, 3, 3}, f32);
  const auto conv = [&](const Tensor& t) { return conv2d(transpose(t, {0, 3, 1, 2}), w, {.padding = 1}); };
  auto f = compile(conv);
  const Tensor result = f(x);
  CHECK(result.strides() == conv(x).strides());
  CHECK_SAME(result, conv(x));
  CHECK(steps(f.dump("plan"), ": copy") == 0);

  const Tensor kept = f(x), doubled = f(x * 2.0f);  // two results are two values
  CHECK_SAME(kept, conv(x));
  CHECK_SAME(doubled, conv(x * 2.0f));

  // One buffer is one result's: others of the same value are copies.
  const auto twice = [&](const Tensor& t) {
    const Tensor e = exp(t);
    return std::tuple(transpose(e, {1, 0}), e, transpose(e, {1, 0}), expand(transpose(e, {1, 0}), 1));
  };
  const Tensor m = random_tensor(random, {3, 5}, f32);
  const auto compiled = compile(twice)(m), eager = twice(m);
  CHECK_SAME(std::get<0>(compiled), std::get<0>(eager));
  CHECK_SAME(std::get<1>(compiled), std::get<1>(eager));
  CHECK_SAME(std::get<2>(compiled), std::get<2>(eager));
  CHECK_SAME(std::get<3>(compiled), std::get<3>(eager));

  // What goes on to a loop's next round, to a variable or through a tape lies in order.
  const auto loop = [&](const Tensor& t) {
    return scan(
        [](const Tensor& c, const Tensor& r) {
          const Tensor next = transpose(sin(c) + r, {1, 0});
          return std::pair(next, next);
        },
        t, ones({3, 4, 4}));
  };
  const Tensor square_matrix = random_tensor(random, {4, 4}, f32);
  const auto rounds = compile(loop)(square_matrix), by_eager = loop(square_matrix);
  CHECK_SAME(rounds.first, by_eager.first);
  CHECK_SAME(rounds.second, by_eager.second);
  Variable v = zeros({4, 4});
  auto assigns = compile([&](const Tensor& t) {
    const Tensor turned = transpose(exp(t), {1, 0});
    v.assign(turned);
    return turned;
  });
  CHECK_SAME(assigns(square_matrix), transpose(exp(square_matrix), {1, 0}));
  CHECK_SAME(v, transpose(exp(square_matrix), {1, 0}));
  CHECK(v.value().is_contiguous());
  GradientTape tape;
  tape.watch(square_matrix);
  auto turned = compile([](const Tensor& t) { return transpose(exp(t), {1, 0}); });
  const Tensor loss = sum(turned(square_matrix) * arange(0, 4, 1, f32));
  CHECK_SAME(tape.gradient(loss, square_matrix), exp(square_matrix) * expand(arange(0, 4, 1, f32), 1));
}
