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

TEST_CASE("what runs while recording is stopped has no gradient", "[tape][1.5.28][1.5.29]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  Tensor y;
  {
    const auto pause = tape.stop_recording();
    CHECK_FALSE(tape.recording());
    y = x * x;
    CHECK_THROWS_AS((void)tape.stop_recording(), GradError);
  }
  CHECK(tape.recording());
  CHECK_FALSE(tape.gradient(y, x).defined());
  const Tensor z = x * x;
  CHECK_GRADIENT(tape.gradient(z, x), 6);
  tape.stop();
  CHECK(message_of<GradError>([&] { (void)tape.stop_recording(); }) == "the tape is not recording");
}

TEST_CASE("a pause whose tape was started again ends quietly", "[tape]") {
  const NoLeaks guard;
  GradientTape tape;
  {
    const auto pause = tape.stop_recording();
    tape.start();
  }
  CHECK(tape.recording());
}

TEST_CASE("start goes on with the same recording after stop", "[tape][1.5.51]") {
  const NoLeaks guard;
  const Tensor x = scalar(2);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x;
  tape.stop();
  tape.start();
  const Tensor z = y * 1;
  CHECK_GRADIENT(tape.gradient(z, x), 4);
}

TEST_CASE("a running tape can't be started again", "[tape][1.5.36]") {
  const NoLeaks guard;
  GradientTape tape;
  CHECK(message_of<GradError>([&] { tape.start(); }) == "the tape is still recording\n  hint: stop() it first");
}

TEST_CASE("a tape started again after its gradient begins anew", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(2);
  GradientTape tape;
  tape.watch(x);
  tape.gradient(x * x, x);
  tape.start();
  tape.watch(x);
  CHECK_GRADIENT(tape.gradient(x * 3, x), 3);
}

TEST_CASE("reset forgets what ran and what was watched", "[tape][1.5.30]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  GradientTape tape({.persistent = true});
  Tensor loss = v * v;
  loss = loss + v * v;
  CHECK(tape.watched_variables().size() == 1);
  tape.reset();
  CHECK(tape.size() == 0);
  CHECK(tape.watched_variables().empty());
  CHECK_FALSE(tape.gradient(loss, v).defined());
  CHECK_GRADIENT(tape.gradient(v * v, v), 2);
}

TEST_CASE("trainable variables are watched when they are read, others when asked", "[tape][1.5.32][1.5.33][1.5.95]") {
  const NoLeaks guard;
  Variable v(scalar(2)), fixed(scalar(3), false);
  {
    GradientTape tape({.persistent = true});
    CHECK(tape.watched_variables().empty());
    const Tensor y = v * fixed;
    CHECK(tape.watched_variables() == std::vector{v.state()});
    CHECK_FALSE(tape.gradient(y, fixed).defined());
    CHECK_GRADIENT(tape.gradient(y, v), 3);
  }
  {
    GradientTape tape;
    tape.watch(fixed);
    CHECK_GRADIENT(tape.gradient(v * fixed, fixed), 2);
  }
  {
    Variable a(scalar(2)), b(scalar(3));
    GradientTape tape({.watch_accessed_variables = false});
    tape.watch(b);
    const auto [da, db] = tape.gradient(a * a + b, a, b);
    CHECK_FALSE(da.defined());
    CHECK_GRADIENT(db, 1);
    CHECK(tape.watched_variables() == std::vector{b.state()});
  }
}

TEST_CASE("watched variables stand in order of construction, also after gradient", "[tape][1.5.15][1.5.105][1.5.106][1.5.107]") {
  const NoLeaks guard;
  Variable a(scalar(1)), b(scalar(1)), c(scalar(1));
  GradientTape tape;
  const Tensor y = c * b * a;
  const std::vector expected{a.state(), b.state(), c.state()};
  CHECK(tape.watched_variables() == expected);
  tape.gradient(y, a);
  CHECK(tape.watched_variables() == expected);
  tape.start();
  c * 2;
  CHECK(tape.watched_variables() == std::vector{c.state()});
  tape.reset();
  CHECK(tape.watched_variables().empty());
}

TEST_CASE("watching is a tape's own", "[tape][1.5.38]") {
  const NoLeaks guard;
  const Tensor x1 = scalar(2), x2 = scalar(2);
  GradientTape outer;
  outer.watch(x1);
  GradientTape inner;
  inner.watch(x1, x2);
  const Tensor y = x1 * x1 * x1 + x2 * x2;
  const auto [d1, d2] = inner.gradient(y, x1, x2);
  CHECK_GRADIENT(d1, 12);
  CHECK_GRADIENT(d2, 4);
  const auto [s1, s2] = outer.gradient(std::tuple(d1, d2), x1, x2);
  CHECK_GRADIENT(s1, 12);
  CHECK_FALSE(s2.defined());
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

TEST_CASE("sources come back in their own structure", "[tape][1.5.54][1.5.81]") {
  const NoLeaks guard;
  const Tensor x = scalar(1), y = scalar(2), z = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x, y, z);
  const Tensor t = x + 2 * y + 3 * z;
  CHECK_GRADIENT(tape.gradient(t, x), 1);
  const std::tuple<Tensor, Tensor> two = tape.gradient(t, x, y);
  CHECK_GRADIENT(std::get<1>(two), 2);
  const std::vector<Tensor> list = tape.gradient(t, std::vector{z, x});
  CHECK_GRADIENT(list[0], 3);
  const std::map<std::string, Tensor> map = tape.gradient(t, std::map<std::string, Tensor>{{"x", x}, {"z", z}});
  CHECK_GRADIENT(map.at("z"), 3);
  const auto nested = tape.gradient(t, std::tuple(x, std::pair(y, std::vector{z, x})), std::array{y, z});
  CHECK_GRADIENT(std::get<0>(std::get<0>(nested)), 1);
  CHECK_GRADIENT(std::get<1>(std::get<0>(nested)).first, 2);
  CHECK_GRADIENT(std::get<1>(std::get<0>(nested)).second[0], 3);
  CHECK_GRADIENT(std::get<1>(nested)[1], 3);
  const std::optional<Tensor> none = tape.gradient(t, std::optional<Tensor>());
  CHECK_FALSE(none);
  const Point p = tape.gradient(t, Point{x, {y, z}});
  CHECK_GRADIENT(p.a, 1);
  CHECK_GRADIENT(p.rest[1], 3);
  CHECK(p.scale == 2);
}

TEST_CASE("watch takes structures too", "[tape][1.5.104]") {
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

TEST_CASE("variables and constants give the same gradients", "[tape][1.5.97]") {
  const NoLeaks guard;
  const Tensor a = tensor({{1, 2}, {3, 4}}), b = tensor({{5, 6}, {7, 8}});
  const auto f = [](const Tensor& x, const Tensor& y) { return sum(tanh(matmul(x, y)) * x); };
  GradientTape tape({.persistent = true});
  tape.watch(a, b);
  const auto [da, db] = tape.gradient(f(a, b), a, b);
  Variable va(a), vb(b);
  const auto [wa, wb] = tape.gradient(f(va, vb), va, vb);
  CHECK_SAME(wa, da);
  CHECK_SAME(wb, db);
}

TEST_CASE("an assignment inside a tape is no path: gradients reach the value read after it", "[tape][1.2.4]") {
  const NoLeaks guard;
  const Tensor x0 = scalar(3);
  Variable x1(scalar(0));
  GradientTape tape({.persistent = true});
  tape.watch(x0);
  x1.assign_add(x0);
  const Tensor y = square(x1);
  CHECK_FALSE(tape.gradient(y, x0).defined());
  CHECK_GRADIENT(tape.gradient(y, x1), 6);
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

TEST_CASE("host control flow records what ran", "[tape][1.5.31][1.5.57][1.5.58]") {
  const NoLeaks guard;
  Variable a(scalar(1)), b(scalar(2)), c(scalar(3));
  GradientTape tape({.persistent = true});
  const Tensor largest = a.value().item() > b.value().item() ? a * 1 : c * 1;
  const auto [da, db, dc] = tape.gradient(largest, a, b, c);
  CHECK_FALSE(da.defined());
  CHECK_FALSE(db.defined());
  CHECK_GRADIENT(dc, 1);
  Tensor y = b.value();
  while (y.item() < 10) y = y * b;
  CHECK_GRADIENT(tape.gradient(y, b), 32);
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
