// GradientTape: recording scopes, watching, variables, structures.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
struct Point {
  Tensor a;
  std::vector<Tensor> rest;
  double scale = 2;
  WEFT_MEMBERS(a, rest)
};
struct Layer {
  Variable weight, bias, running;
  WEFT_MEMBERS(weight, bias, running)
};
struct Net {
  Layer first, second;
  bool training = true;
  WEFT_MEMBERS(first, second, training)
};
Layer layer(double w) { return {Variable(scalar(w)), Variable(scalar(0)), Variable(scalar(5), false)}; }
}  // namespace

TEST_CASE("a pause whose tape was started again ends quietly", "[tape]") {
  const NoLeaks guard;
  GradientTape tape;
  {
    const auto pause = tape.stop_recording();
    tape.start();
  }
  CHECK(tape.recording());
}

TEST_CASE("two tapes over the same ops answer independently", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = scalar(4);
  GradientTape first;
  first.watch(x);
  GradientTape second;
  second.watch(y);
  const Tensor z = x * y;
  CHECK_GRADIENT(second.gradient(z, y), 3);
  CHECK_GRADIENT(first.gradient(z, x), 4);
}

TEST_CASE("watch takes structures too", "[tape]") {
  const NoLeaks guard;
  const Point p{scalar(1), {scalar(2), scalar(3)}};
  GradientTape tape;
  tape.watch(p);
  const Point g = tape.gradient(p.a * p.rest[0] * p.rest[1], p);
  CHECK_GRADIENT(g.a, 6);
  CHECK_GRADIENT(g.rest[0], 3);
}

TEST_CASE("a model's gradients are indexed by its variables", "[tape]") {
  const NoLeaks guard;
  Net net{layer(2), layer(3)};
  const Tensor x = scalar(5);
  GradientTape tape;
  const Tensor y = (x * net.first.weight + net.first.bias) * net.second.weight * net.first.running;
  Gradients g = tape.gradient(y, net);
  CHECK_GRADIENT(g[net.first.weight], 75);
  CHECK_GRADIENT(g[net.second.weight], 50);
  CHECK_GRADIENT(g[net.first.bias], 15);
  CHECK_FALSE(g[net.second.bias].defined());
  CHECK_FALSE(g.contains(net.first.running));
  CHECK(g.size() == 4);
  CHECK(g.begin()->variable == net.first.weight.state());
  Variable stranger(scalar(1));
  CHECK_THROWS_AS(g[stranger], ArgumentError);
  CHECK_THROWS_AS(g[net.first.running], ArgumentError);
}

TEST_CASE("a variable's gradient covers every value it had when it was read", "[tape]") {
  const NoLeaks guard;
  Variable v(scalar(2));
  GradientTape tape;
  const Tensor before = v * v;
  v.assign(scalar(5));
  const Tensor after = v * v;
  CHECK_GRADIENT(tape.gradient(before + after, v), 14);
}

TEST_CASE("training repeats without leaving a tensor behind", "[tape][leaks]") {
  const NoLeaks guard;
  Variable w(zeros({3, 3})), b(zeros({3}));
  const Tensor x = ones({2, 3});
  std::int64_t tensors = 0;
  double first = 0, last = 0;
  for (int i = 0; i < 20; ++i) {
    GradientTape tape;
    const Tensor loss = mean(square(tanh(matmul(x, w) + b) - 0.5));
    const auto [dw, db] = tape.gradient(loss, w, b);
    w.assign_sub(0.5 * dw);
    b.assign_sub(0.5 * db);
    if (i == 0) first = loss.item();
    last = loss.item();
    if (i == 1) tensors = live_tensors();
  }
  CHECK(last < first / 2);
  CHECK(live_tensors() <= tensors);
}
