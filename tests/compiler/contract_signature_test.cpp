// Compiled functions' contract: signatures, errors, threads, gradients, lifetime, getters.
#include "support.h"

using namespace weft;
using namespace weft::test;

// ---- shapes ----
TEST_CASE("Shapes are known while a function is traced, through nested calls", "[compile][1.7.shapes]") {
  const NoLeaks guard;
  auto halves = compile([](const Tensor& x) {
    const std::int64_t n = x.shape()[0];
    return std::vector{slice_axis(x, 0, 0, n / 2), slice_axis(x, 0, n / 2, n)};
  });
  auto f = compile([&](const Tensor& x) {
    const auto parts = halves(x);
    CHECK(parts[1].shape() == Shape{3, 2});
    const Tensor stacked = stack(parts);
    return reshape(stacked, {stacked.shape()[0] * stacked.shape()[1], -1});
  });
  CHECK(f(ones({6, 2})).shape() == Shape{6, 2});
}

TEST_CASE("Another shape or dtype is another trace, the first is kept", "[compile][1.7.shapes]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) { return x * x * x; });
  for (int i = 0; i < 3; ++i) {
    f(scalar(2));
    f(ones({2}));
    f(ones({2}, f64));
  }
  CHECK(f.stats().traces == 3);
}

// ---- retracing ----
TEST_CASE("Host numbers are part of the signature by value, tensors by type", "[compile][1.4][1.7.retracing]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x, int n, bool negate) { return negate ? -(x * n) : x * n; });
  for (double v : {1.0, 2.0, 3.0}) {
    CHECK(f(v, 2, false).item() == 2 * v);
    CHECK(f(v, 2, true).item() == -2 * v);
    CHECK(f(v, 3, false).item() == 3 * v);
  }
  CHECK(f.stats().traces == 3);
}

TEST_CASE("The length of a list and the presence of an optional are part of the signature",
          "[compile][1.7.retracing]") {
  const NoLeaks guard;
  auto f = compile([](const std::vector<Tensor>& list, const std::optional<Tensor>& more) {
    Tensor total = scalar(0);
    for (const Tensor& t : list) total = total + t;
    return more ? total + *more : total;
  });
  const Tensor one = scalar(1), two = scalar(2);
  CHECK(f(std::vector{one}, std::nullopt).item() == 1);
  CHECK(f(std::vector{one, two}, std::nullopt).item() == 3);
  CHECK(f(std::vector{one}, std::optional(two)).item() == 3);
  CHECK(f(std::vector{two}, std::nullopt).item() == 2);
  CHECK(f.stats().traces == 3);
}

TEST_CASE("Training and evaluation are two traces", "[compile][1.7.retracing]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) { return context().training ? x * 2 : x * 1; });
  CHECK(f(1).item() == 2);
  context().training = false;
  CHECK(f(1).item() == 1);
  context().training = true;
  CHECK(f(1).item() == 2);
  CHECK(f.stats().traces == 2);
}

TEST_CASE("Functions are counted each for itself, nested ones too", "[compile][1.7.retracing]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) { return x + 1; });
  auto g = compile([](const Tensor& x) { return x + 2; });
  for (int n = 1; n < 4; ++n) f(ones({n}));
  g(ones({1}));
  CHECK(f.stats().traces == 3);
  CHECK(g.stats().traces == 1);
}

TEST_CASE("A function that is traced again and again warns once, and says what changed",
          "[compile][1.4][1.7.retracing]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) { return x + 1; });
  const std::string warnings = written_by([&] {
    for (int n = 1; n < 20; ++n) f(ones({n}));
  });
  CHECK_THAT(
      warnings,
      Catch::Matchers::Matches(
          R"(weft: warning: compile at .*contract_signature_test\.cpp:\d+: 9 traces of one function: tensor 0 was f32\[8\], is f32\[9\]\n)"));
}

// ---- purity ----
TEST_CASE("A list that a function changes is its own: the caller's stays", "[compile][1.4][1.7.purity]") {
  const NoLeaks guard;
  auto f = compile([](std::vector<Tensor> list) {
    list.push_back(list[0] * 2);
    list[0] = list[1];
    return list;
  });
  const std::vector<Tensor> mine{scalar(1)};
  for (int i = 0; i < 2; ++i) {
    const auto out = f(mine);
    CHECK(out.size() == 2);
    CHECK(out[0].item() == 2);
    REQUIRE(mine.size() == 1);
    CHECK(mine[0].item() == 1);
  }
}

TEST_CASE("A traced tensor that outlives its trace is out of scope everywhere", "[compile][1.4][1.7.purity]") {
  const NoLeaks guard;
  Tensor leaked;
  Variable v = scalar(1);
  auto f = compile([&](const Tensor& x) {
    leaked = x * 2;
    return x + 1;
  });
  f(1);
  REQUIRE(leaked.defined());
  CHECK_THROWS_AS(leaked + 1, GuardError);
  CHECK_THROWS_AS(leaked.item(), GuardError);
  CHECK_THROWS_AS(leaked.to_vector<float>(), GuardError);
  CHECK_THROWS_AS(v.assign(leaked), GuardError);
  auto g = compile([&](const Tensor& x) { return x * leaked; });
  CHECK_THROWS_AS(g(1), GuardError);
  CHECK(f(2).item() == 3);
  leaked = {};
  leaked = scalar(4);
  CHECK(g(2).item() == 8);
}

TEST_CASE("A value asked for while there is none is an error that says so", "[compile][1.7.purity]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) { return x.item() > 0 ? x : -x; });
  CHECK_THROWS_AS(f(1), GuardError);
}

// ---- errors ----
TEST_CASE("An error of the run does not stick to the function", "[compile][1.4][1.7.errors]") {
  const NoLeaks guard;
  const Tensor table = tensor({10, 20});
  auto f = compile([&](const Tensor& i) { return gather(table, i); });
  CHECK(f(tensor<std::int64_t>({1})).item() == 20);
  for (int k = 0; k < 3; ++k) {
    CHECK_THROWS_AS(f(tensor<std::int64_t>({5})), IndexError);
    CHECK(f(tensor<std::int64_t>({0})).item() == 10);
  }
  CHECK(f.stats().traces == 1);
}

TEST_CASE("An error while a function is traced names the line in it, also through nested calls",
          "[compile][1.7.errors]") {
  const NoLeaks guard;
  auto inner = compile([](const Tensor& x) { return x + ones({3}); });
  auto outer = compile([&](const Tensor& x) { return inner(x) * 2; });
  CHECK(message_of<ShapeError>([&] { outer(ones({2})); }) ==
        "add: shapes do not broadcast: [2] with [3] (2 vs 3 in dimension 1 from the back)\n"
        "  lhs  f32[2]\n  rhs  f32[3]\n  at HERE");
  CHECK_VALUES(outer(ones({3})), 4, 4, 4);
}

TEST_CASE("An undefined result is undefined, as in eager code: gradients that do not exist among it",
          "[compile][1.7.basics]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x, bool well) { return well ? x * 1 : Tensor(); });
  CHECK_FALSE(f(1, false).defined());
  CHECK(f(1, true).item() == 1);
  Variable used(tensor({1, 2})), unused(tensor({3, 4}));
  const auto gradients = [&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = sum(used * x);
    return std::tuple(loss, tape.gradient(loss, unused, used), loss * 2);
  };
  auto step = compile(gradients, {.check = true});
  const auto outer = compile([&](const Tensor& x) { return step(x * 1); });
  const Tensor x = tensor({5, 6});
  GradientTape tape;
  tape.watch(x);
  for (const auto& [loss, g, twice] : {step(x), outer(x)}) {
    CHECK(loss.item() == 17);
    CHECK_FALSE(std::get<0>(g).defined());
    CHECK_VALUES(std::get<1>(g), 5, 6);
    CHECK(twice.item() == 34);
  }
  const Tensor twice = std::get<2>(step(x));
  CHECK_VALUES(tape.gradient(twice, x), 2, 4);
}

// ---- threads ----
TEST_CASE("A hundred threads make one trace", "[compile][1.4][1.7.threads]") {
  const NoLeaks guard;
  std::atomic<int> traces = 0, wrong = 0;
  {
    auto f = compile([&](const Tensor& x) {
      ++traces;
      return x * 2;
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < 100; ++t) threads.emplace_back([&, t] { wrong += f(scalar(t)).item() != 2 * t; });
    for (std::thread& t : threads) t.join();
  }
  CHECK(traces == 1);
  CHECK(wrong == 0);
}

TEST_CASE("Many functions with state run at once", "[compile][1.7.threads]") {
  const NoLeaks guard;
  Variable v = scalar(0);
  {
    auto add = compile([&](const Tensor& x) { v.assign_add(x); });
    auto sub = compile([&](const Tensor& x) { v.assign_sub(x); });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) t % 2 ? add(3) : sub(1);
      });
    for (std::thread& t : threads) t.join();
  }
  CHECK(v.value().item() == 2 * 50 * 3 - 2 * 50);
}

// ---- gradients ----
TEST_CASE("A tape around a compiled function reaches its arguments and its variables", "[compile][1.7.gradients]") {
  const NoLeaks guard;
  Variable w = tensor({2, 3});
  auto f = compile([&](const Tensor& x) { return sum(square(x) * w); });
  const Tensor x = tensor({1, 2});
  for (int i = 0; i < 2; ++i) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = f(x);
    CHECK(tape.watched_variables() == std::vector{w.state()});
    const auto [dx, dw] = tape.gradient(y, x, w);
    CHECK_VALUES(dx, 4, 12);
    CHECK_VALUES(dw, 1, 4);
  }
}

TEST_CASE("A tape around nested compiled functions sees the variables that they read",
          "[compile][1.4][1.7.gradients]") {
  const NoLeaks guard;
  Variable v(scalar(2)), unused(scalar(5));
  auto inner = compile([&](const Tensor& x) { return x * v; });
  auto outer = compile([&](const Tensor& x) { return inner(inner(x)); });
  GradientTape tape;
  const Tensor y = outer(3);
  CHECK(tape.watched_variables() == std::vector{v.state()});
  const auto [dv, dunused] = tape.gradient(y, v, unused);
  CHECK(dv.item() == 12);
  CHECK_FALSE(dunused.defined());
}

TEST_CASE("A compiled step under a tape writes its variables; what is read then is their new value",
          "[compile][1.7.gradients]") {
  const NoLeaks guard;
  Variable v = scalar(2);
  const Tensor x = scalar(3);
  auto add = compile([&](const Tensor& t) {
    v.assign_add(t * t);
    return v * t;
  });
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = add(x), z = v * 10;
  CHECK(v.value().item() == 11);
  CHECK(y.item() == 33);
  CHECK(tape.gradient(z, v).item() == 10);
  CHECK_FALSE(tape.gradient(z, x).defined());  // state stops gradients
  const std::string why = tape.explain(z, x);
  CHECK(why.find("call") != std::string::npos);
  CHECK(why.find("state stops gradients") != std::string::npos);
}

TEST_CASE("A recursive function unrolls, and differentiates", "[compile][1.7.gradients]") {
  const NoLeaks guard;
  const std::function<Tensor(const Tensor&, int)> factorial = [&](const Tensor& x, int n) {
    return n == 0 ? x : n * factorial(x, n - 1);
  };
  auto f = compile([&](const Tensor& x, int n) {
    GradientTape tape;
    tape.watch(x);
    return tape.gradient(factorial(x, n) * x, x);
  });
  CHECK(f(1, 5).item() == 240);
}

TEST_CASE("A lookup's gradient flows through a compiled function", "[compile][tape][1.5.18]") {
  const NoLeaks guard;
  Variable table = ones({3, 2});
  auto f = compile([](const Tensor& rows) { return rows * 2; });
  const Tensor rows = tensor<std::int64_t>({2, 0, 2});
  GradientTape tape;
  const Tensor y = f(gather(table, rows));
  CHECK_VALUES(tape.gradient(y, table), 2, 2, 0, 0, 4, 4);
}

TEST_CASE("Nested functions whose path is stopped give zeros where asked", "[compile][tape][1.5.69]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  auto f = compile([](const Tensor& t) { return stop_gradient(t); });
  auto g = compile([&](const Tensor& t) { return f(f(t) * 1); });
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = g(x);
  CHECK_FALSE(tape.gradient(y, x).defined());
  CHECK(tape.gradient(y, x, GradientOptions{.unconnected = Unconnected::zero}).item() == 0);
}

TEST_CASE("A function called with several shapes has the value and the gradient of each", "[compile][tape][1.5.98]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = x * x * x;
    return std::pair(y, tape.gradient(y, x));
  });
  const auto [y, dy] = f(2);
  CHECK(y.item() == 8);
  CHECK(dy.item() == 12);
  const auto [z, dz] = f(tensor({1, 2}));
  CHECK_VALUES(z, 1, 8);
  CHECK_VALUES(dz, 3, 12);
}

// ---- lifetime ----
TEST_CASE("A function that dies leaves nothing, captured tensors included", "[compile][1.7.lifetime]") {
  const NoLeaks guard;
  const auto before = memory_stats().live_bytes;
  {
    const Tensor large = ones({1000, 100});
    auto f = compile([large](const Tensor& x) { return sum(x * large); });
    f(2);
    auto copy = f;
    copy(3);
  }
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE("A function outlives the function that it was nested in", "[compile][1.7.lifetime]") {
  const NoLeaks guard;
  auto inner = compile([](const Tensor& x) { return x * 2; });
  {
    auto outer = compile([&](const Tensor& x) { return inner(x) + 1; });
    CHECK(outer(3).item() == 7);
  }
  CHECK(inner(3).item() == 6);
}

// ---- introspection ----
TEST_CASE("How often a function was traced can be asked, also of a copy", "[compile][1.4][1.7.introspection]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) { return x + 1; });
  CHECK(f.stats().traces == 0);
  f(1);
  auto copy = f;  // shares the traces
  copy(1);
  CHECK(f.stats().traces == 1);
  copy(ones({2}));
  CHECK(f.stats().traces == 2);
  CHECK(f.dump("graph").find("add f32[2]") != std::string::npos);
}

// ---- user types ----
namespace {
struct Pair {
  Tensor a, b;
  int scale = 1;
  WEFT_MEMBERS(a, b)
};
struct Nested {
  Pair pair;
  std::vector<Pair> list;
  WEFT_MEMBERS(pair, list)
};
}  // namespace

TEST_CASE("A user's struct goes in and comes out, nested in others", "[compile][1.7.user-types]") {
  const NoLeaks guard;
  auto swap = compile([](const Pair& p) { return Pair{p.b, p.a + 1, p.scale}; });
  const Pair p = swap(Pair{scalar(1), scalar(2)});
  CHECK(p.a.item() == 2);
  CHECK(p.b.item() == 2);
  auto f = compile([](const Nested& n) { return Nested{n.list[0], {n.pair, {n.pair.a * 2, n.list[0].b}}}; });
  const Nested n = f(Nested{{scalar(1), scalar(2)}, {{scalar(3), scalar(4)}}});
  CHECK(n.pair.b.item() == 4);
  CHECK(n.list[1].a.item() == 2);
}
