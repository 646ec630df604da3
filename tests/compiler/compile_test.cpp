// What compile() promises: signatures, state, ownership, atomic steps.
#include <thread>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("functions of many short rows' values, in a loop of their own, have eager code's bits", "[compile]") {
  Random random(41);
  for (const DType t : {f32, f64, DType::bf16})
    for (const Shape& shape : {Shape{2000, 3}, {50, 40, 5}}) {
      const Tensor x = random_tensor(random, shape, t, 0.1, 2);
      const auto f = [](const Tensor& p) {
        const Tensor r = sum(p, -1);
        return std::tuple{pow(r, 1.5), mean(lgamma(r)), p * expand(sqrt(r), -1)};
      };
      const auto [a, b, c] = compile(f)(x);
      const auto [d, e, g] = f(x);
      CHECK_SAME(a, d);
      CHECK_SAME(b, e);
      CHECK_SAME(c, g);
    }
  Variable v(random_tensor(random, {3000}, f32, 0.1, 1));
  const Tensor x = random_tensor(random, {3000, 3}, f32, 0.1, 2), expected = pow(sum(x, 1), 1.5) + v;
  compile([&](const Tensor& p) { v.assign(pow(sum(p, 1), 1.5) + v); })(x);
  CHECK_SAME(v.value(), expected);
}

TEST_CASE("a function is traced once per signature, and host code runs at the trace only", "[compile]") {
  int runs = 0;
  auto f = compile([&](const Tensor& x) {
    ++runs;
    return x * 2 + 1;
  });
  CHECK(f(tensor({1, 2})).to_vector<float>() == std::vector<float>{3, 5});
  CHECK(f(tensor({5, 6})).to_vector<float>() == std::vector<float>{11, 13});
  CHECK(runs == 1);
  f(tensor({1, 2, 3}));
  f(tensor<double>({1, 2}));
  CHECK(runs == 3);
  CHECK(f.stats().traces == 3);
}

TEST_CASE(
    "a parameter declared Tensor takes a number and does not retrace on it; a declared number is part of the signature",
    "[compile]") {
  int runs = 0;
  auto f = compile([&](const Tensor& x, const Tensor& rate) {
    ++runs;
    return x * rate;
  });
  CHECK(f(tensor({2}), 3).item() == 6);
  CHECK(f(tensor({2}), 4.5f).item() == 9);
  CHECK(runs == 1);

  int other = 0;
  auto g = compile([&](const Tensor& x, int n) {
    ++other;
    return x * n;
  });
  CHECK(g(tensor({2}), 3).item() == 6);
  CHECK(g(tensor({2}), 4).item() == 8);
  CHECK(g(tensor({3}), 3).item() == 9);
  CHECK(other == 2);
}

TEST_CASE("which arguments are the same is part of the signature", "[compile]") {
  int runs = 0;
  auto f = compile([&](const Tensor& a, const Tensor& b) {
    ++runs;
    return a + b;
  });
  const Tensor x = tensor({1, 2}), y = tensor({3, 4});
  f(x, y);
  f(y, x);
  CHECK(runs == 1);
  CHECK(f(x, x).to_vector<float>() == std::vector<float>{2, 4});
  CHECK(runs == 2);
}

TEST_CASE("variables are read and assigned as in plain code, in program order", "[compile][state]") {
  Variable v = tensor({1, 2});
  auto f = compile([&] {
    const Tensor before = v.value();
    v.assign_add(1);
    const Tensor between = v.value() * 10;
    v.assign(v.value() * 2);
    return std::tuple(before, between);
  });
  const auto [before, between] = f();
  CHECK(before.to_vector<float>() == std::vector<float>{1, 2});
  CHECK(between.to_vector<float>() == std::vector<float>{20, 30});
  CHECK(v.value().to_vector<float>() == std::vector<float>{4, 6});
}

TEST_CASE("a tensor read before a step stays what it was", "[compile][state]") {
  Variable v = zeros({100});
  auto step = compile([&] { v.assign_add(1); });
  step();
  const Tensor held = v.value();
  for (int k = 0; k < 3; ++k) step();
  CHECK(held.to_vector<float>() == std::vector<float>(100, 1.f));
  CHECK(v.value().to_vector<float>() == std::vector<float>(100, 4.f));
}

TEST_CASE("two variables change places", "[compile][state]") {
  Variable a = tensor({1, 2}), b = tensor({3, 4});
  auto swap = compile([&] {
    const Tensor old = a.value();
    a.assign(b.value());
    b.assign(old);
  });
  swap();
  CHECK(a.value().to_vector<float>() == std::vector<float>{3, 4});
  CHECK(b.value().to_vector<float>() == std::vector<float>{1, 2});
  swap();
  CHECK(a.value().to_vector<float>() == std::vector<float>{1, 2});
}

TEST_CASE("two results of one function are two values", "[compile][ownership]") {
  auto f = compile([](const Tensor& x) { return x + 1; });
  const Tensor one = f(tensor({1, 1})), two = f(tensor({5, 5}));
  CHECK(one.to_vector<float>() == std::vector<float>{2, 2});
  CHECK(two.to_vector<float>() == std::vector<float>{6, 6});
}

TEST_CASE("an argument returned, a view of it and a constant are results of their own", "[compile][ownership]") {
  const Tensor captured = tensor({7, 8});
  auto f = compile([&](const Tensor& x) { return std::tuple(x, transpose(x), captured, x); });
  const auto [a, b, c, d] = f(tensor({{1, 2}, {3, 4}}));
  CHECK(a.to_vector<float>() == std::vector<float>{1, 2, 3, 4});
  CHECK(b.to_vector<float>() == std::vector<float>{1, 3, 2, 4});
  CHECK(c.to_vector<float>() == std::vector<float>{7, 8});
  CHECK(d.to_vector<float>() == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("a step that throws leaves every variable as it was", "[compile][atomic]") {
  Variable v = zeros({3}), count(zeros({}), false);
  const Tensor table = tensor({10, 20, 30});
  auto step = compile([&](const Tensor& index) {
    count.assign_add(1);
    v.assign_add(1);
    return sum(gather(table, index) * v);
  });
  const Tensor good = tensor<std::int64_t>({0, 2, 1}), bad = tensor<std::int64_t>({0, 3, 1});
  step(good);
  CHECK_THROWS_AS(step(bad), IndexError);
  CHECK(v.value().to_vector<float>() == std::vector<float>{1, 1, 1});
  CHECK(count.value().item() == 1);
  CHECK(step(good).item() == 120);
}

TEST_CASE("a loop takes all the operands that its nodes can have", "[compile]") {
  constexpr std::int64_t n = 96, columns = 40;  // as many as a group has nodes, each with three operands and a result
  const Tensor mask = reshape(arange(n * columns) % 3 < 1, {n, columns}),
               x = reshape(arange(0, 2 * n * columns), {2 * n, columns});
  const auto rows = [](const Tensor& m, const Tensor& v) {
    std::vector<Tensor> results;
    for (std::int64_t i = 0; i < n; ++i)
      results.push_back(where(reshape(slice_axis(m, 0, i, i + 1), {columns}),
                              reshape(slice_axis(v, 0, 2 * i, 2 * i + 1), {columns}),
                              reshape(slice_axis(v, 0, 2 * i + 1, 2 * i + 2), {columns})));
    return results;
  };
  auto compiled = compile(rows);
  const std::vector<Tensor> expected = rows(mask, x), found = compiled(mask, x);
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(found[i].to_vector<float>() == expected[i].to_vector<float>());
  CHECK(compiled.stats().kernels == 1);
}

TEST_CASE("a whole number keeps its 64 bits in a kernel", "[compile]") {
  constexpr std::int64_t n = 9'007'199'254'740'993;  // 2^53 + 1: no double
  auto f = compile([](const Tensor& x) { return where(equal(x, n), x + n, maximum(x, INT64_MAX - 1)); });
  const Tensor x = from_vector<std::int64_t>({n - 1, n, n + 1});
  CHECK(f(x).to_vector<std::int64_t>() == std::vector<std::int64_t>{INT64_MAX - 1, 2 * n, INT64_MAX - 1});
}

TEST_CASE("a function that throws while it is traced is not spoilt", "[compile][atomic]") {
  Variable v = zeros({2});
  bool fail = true;
  auto f = compile([&](const Tensor& x) {
    v.assign_add(1);
    if (fail) throw std::runtime_error("midway");
    return x + v;
  });
  CHECK_THROWS_AS(f(ones({2})), std::runtime_error);
  CHECK(v.value().to_vector<float>() == std::vector<float>{0, 0});
  fail = false;
  CHECK(f(ones({2})).to_vector<float>() == std::vector<float>{2, 2});
}

TEST_CASE("a traced tensor kept after its trace, and one read inside it, are refused", "[compile][guard]") {
  Tensor leaked;
  auto f = compile([&](const Tensor& x) {
    leaked = x * 2;
    return leaked;
  });
  f(ones({2}));
  CHECK_THROWS_AS(leaked.item(), GuardError);
  CHECK_THROWS_AS(leaked + 1, GuardError);
  auto g = compile([](const Tensor& x) { return x * x.item<float>(); });
  CHECK_THROWS_AS(g(ones({})), GuardError);
}

TEST_CASE("a compiled function inside another is plain code to it; a tape differentiates it", "[compile]") {
  Variable w = tensor({2, 3});
  auto inner = compile([&](const Tensor& x) { return square(x) * w; });
  auto outer = compile([&](const Tensor& x) { return sum(inner(x) + 1); });
  CHECK(outer(tensor({1, 2})).item() == 16);
  GradientTape tape;
  const Tensor y = sum(inner(tensor({1, 2})));
  CHECK(tape.gradient(y, w).to_vector<float>() == std::vector<float>{1, 4});
}

TEST_CASE("random numbers are the same eager and compiled, dead draws counted", "[compile][random]") {
  const auto draw = [](random::Generator& g) {
    random::uniform({5}, 0, 1, f32, g);  // never used
    return random::normal({7}, 0, 1, f32, g);
  };
  random::Generator a(42), b(42);
  auto compiled = compile([&] { return draw(b); });
  for (int k = 0; k < 3; ++k) CHECK(draw(a).to_vector<float>() == compiled().to_vector<float>());
}

TEST_CASE("structures go in and out", "[compile]") {
  auto f = compile([](const std::vector<Tensor>& v, const std::pair<Tensor, Tensor>& p) {
    return std::map<std::string, Tensor>{{"sum", v[0] + v[1]}, {"product", p.first * p.second}};
  });
  const auto r = f(std::vector<Tensor>{ones({2}), ones({2})}, std::pair(full({1}, 3), full({1}, 4)));
  CHECK(r.at("sum").to_vector<float>() == std::vector<float>{2, 2});
  CHECK(r.at("product").item() == 12);
}

TEST_CASE("check mode compares with eager from the same state", "[compile][check]") {
  Variable v = random::normal({30, 20});
  auto step = compile(
      [&](const Tensor& x) {
        GradientTape tape;
        const Tensor loss = mean(square(matmul(x, v)));
        v.assign_sub(0.1 * tape.gradient(loss, v));
        return loss;
      },
      {.check = true});
  const Tensor x = random::normal({10, 30});
  const double first = step(x).item();
  for (int k = 0; k < 5; ++k) step(x);
  CHECK(step(x).item() < first);
}

TEST_CASE("a step that throws while it computes a variable's new value leaves the variable as it was",
          "[compile][atomic]") {
  const auto unchanged = [](Variable& v, const auto& f, const Tensor& good, const Tensor& bad) {
    auto step = compile(f);
    step(good);
    const Tensor before = v.value();
    const Tensor copy = before + 0;
    CHECK_THROWS_AS(step(bad), Error);
    CHECK_SAME(v, copy);
    step(good);  // and goes on
    return before;
  };
  const Tensor fine = ones({3}), inf = tensor({1, INFINITY, 1});
  Variable w(ones({3}));
  unchanged(
      w, [&](const Tensor& x) { w.assign(assert_finite(x)); }, fine, inf);
  unchanged(
      w, [&](const Tensor& x) { w.assign_sub(assert_finite(x)); }, fine, inf);
  unchanged(
      w, [&](const Tensor& x) { w.assign(assert_finite(w * x)); }, fine, inf);
  Variable p(eye(3) * 2);
  unchanged(
      p, [&](const Tensor& x) { p.assign(inv(eye(3) * x)); }, tensor(1), tensor(0));
  unchanged(
      p, [&](const Tensor& x) { p.assign(cholesky(eye(3) * x)); }, tensor(1), tensor(-1));
  unchanged(
      p, [&](const Tensor& x) { p.assign(solve(eye(3) * x, p)); }, tensor(1), tensor(0));
  Variable rows(zeros({4, 3}));
  const auto each = [&](const Tensor& x) {
    rows.assign(scan(
                    [](const Tensor& c, const Tensor& k) {
                      const Tensor next = assert_finite(c + k);
                      return std::pair(next, next);
                    },
                    x, arange(0, 4))
                    .second);
  };
  unchanged(rows, each, fine, inf);
  Variable v(ones({}));
  unchanged(
      v,
      [&](const Tensor& k) {
        v.assign_add(1);
        return cond(
            k > 0,
            [&] {
              v.assign_add(1);
              return sum(assert_finite(1 / (1 - k)));
            },
            [&] { return sum(k) * 0; });
      },
      tensor(-1), tensor(1));
  unchanged(
      v,
      [&](const Tensor& k) {
        v.assign(while_loop([](const Tensor& c) { return c < 10; },
                            [&](const Tensor& c) { return assert_finite(c / k) + 4; }, v * 0 + k * 0));
      },
      tensor(1), tensor(0));
}

TEST_CASE("under check a call that throws leaves every variable as it was", "[compile][check][atomic]") {
  Variable v(zeros({2}));
  auto step = compile(
      [&](const Tensor& index) {
        v.assign_add(1);
        return gather(v, index);
      },
      {.check = true});
  CHECK_THROWS_AS(step(from_vector<std::int64_t>({7})), IndexError);
  CHECK(v.value().to_vector<float>() == std::vector<float>{0, 0});
  int calls = 0;
  auto other = compile(
      [&](const Tensor& x) {
        v.assign_add(x * ++calls);
        return x;
      },
      {.check = true});
  CHECK_THROWS_AS(other(ones({})), GuardError);
  CHECK(v.value().to_vector<float>() == std::vector<float>{0, 0});
}

TEST_CASE("under check calls from many threads do not disturb each other", "[compile][check][threads]") {
  Variable v(zeros({1000}));
  auto step = compile(
      [&](const Tensor& x) {
        v.assign_add(x);
        return sum(v.value());
      },
      {.check = true});
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) try {
          step(ones({}));
        } catch (const Error&) { ++failed; }
    });
  for (std::thread& t : threads) t.join();
  CHECK(failed == 0);
  CHECK(v.value().at({0}) == 200);
}

TEST_CASE("a tensor left over from a trace is no argument", "[compile][guard]") {
  Tensor leak;
  auto leaks = compile([&](const Tensor& x) { return leak = x * 2; });
  leaks(ones({2}));
  auto f = compile([](const Tensor& x) { return x * 2; });
  CHECK_THROWS_AS(f(leak), GuardError);
}

TEST_CASE("a compiled function sees a variable's value whole, while another writes it", "[compile][threads]") {
  Variable w(zeros({1 << 16}));
  auto read = compile([&](const Tensor& x) { return std::pair(min(w + x), max(w + x)); });
  auto write = compile([&](const Tensor& x) { w.assign_add(x); });
  auto turn = compile([&](const Tensor& x) { w.assign(flip(w.value(), {0}) + x); });
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::thread reader([&] {
    while (!done) {
      const auto [low, high] = read(zeros({}));
      torn += low.item() != high.item();
      const Tensor eager = w.value();
      torn += min(eager).item() != max(eager).item();
    }
  });
  for (int i = 0; i < 300; ++i) write(ones({})), turn(ones({}));
  for (int i = 0; i < 300; ++i) w.assign_add(1);
  done = true;
  reader.join();
  CHECK(torn == 0);
  CHECK(w.value().at({0}) == 900);
}

TEST_CASE("threads that share a variable, or a generator, lose no write and no draw", "[compile][threads]") {
  Variable v(zeros({}));
  std::vector<std::thread> threads;
  random::Generator generator(3);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        v.assign_add(1);
        random::uniform({}, 0, 1, f32, generator);
        random::gamma({}, 2, 1, f32, generator);
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(v.item() == 2000);
  CHECK(generator.state.value().at({1}) == 4000);
}

TEST_CASE("many threads: one trace, right results, and serialised updates", "[compile][threads]") {
  std::atomic<int> runs = 0;
  Variable total(zeros({}), false);
  auto f = compile([&](const Tensor& x) {
    ++runs;
    total.assign_add(1);
    return x * 2;
  });
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int k = 0; k < 25; ++k)
        wrong += f(full({50}, t)).to_vector<float>() != std::vector<float>(50, 2.f * static_cast<float>(t));
    });
  for (std::thread& t : threads) t.join();
  CHECK(runs == 1);
  CHECK(wrong == 0);
  CHECK(total.value().item() == 200);
}

TEST_CASE("functions that write the same variable are serialised", "[compile][threads]") {
  Variable v = zeros({20'000});
  auto add = compile([&](const Tensor& x) { v.assign_add(x); });
  auto sub = compile([&](const Tensor& x) { v.assign_sub(x); });
  add(3), sub(1);  // traced
  constexpr int calls = 4000;
  std::thread other([&] {
    for (int i = 1; i < calls; ++i) add(3);
  });
  for (int i = 1; i < calls; ++i) sub(1);
  other.join();
  CHECK(min(v.value()).item() == 2 * calls);
  CHECK(max(v.value()).item() == 2 * calls);
}

TEST_CASE("a compiled function says what it captured and how many launches it is", "[compile][dump]") {
  Variable w(ones({3}), true, "w");
  auto f = compile([&](const Tensor& x) { return sum(x * w + 1); });
  f(tensor({1, 2, 3}));
  CHECK(f.captures() == std::vector<std::string>{"\"w\" f32[3]"});
  CHECK(f.stats().launches == 1);
  CHECK_THROWS_AS(f.dump("nonsense"), ArgumentError);
}

// Each variable goes a tenth of its gradient down.
template <class Gradients, class... V> static void descend(const Gradients& gradients, V&... variables) {
  std::apply([&](const auto&... g) { (variables.assign_sub(0.1 * g), ...); }, gradients);
}

TEST_CASE("a training step is a few launches, the update of every parameter one of them", "[compile][fusion]") {
  Variable w1 = random::normal({20, 30}), b1 = zeros({30}), w2 = random::normal({30, 5}), b2 = zeros({5});
  auto step = compile([&](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = mean(square(matmul(relu(matmul(x, w1) + b1), w2) + b2 - y));
    descend(tape.gradient(loss, w1, b1, w2, b2), w1, b1, w2, b2);
    return loss;
  });
  step(random::normal({100, 20}), random::normal({100, 5}));
  CHECK(step.stats().library_calls == 5);  // the products
  CHECK(step.stats().launches <= 5);
}

TEST_CASE("in mixed precision, too, the update of every parameter is one launch", "[compile][fusion]") {
  Variable w1 = random::normal({20, 32}), b1 = zeros({32}), w2 = random::normal({32, 16}), b2 = zeros({16});
  const auto layer = [](const Tensor& x, const Tensor& w, const Tensor& b) {
    return matmul(cast(x, DType::bf16), cast(w, DType::bf16)) + cast(b, DType::bf16);
  };
  auto step = compile(
      [&](const Tensor& x, const Tensor& y) {
        GradientTape tape;
        const Tensor loss = mean(square(cast(layer(relu(layer(x, w1, b1)), w2, b2), f32) - y));
        descend(tape.gradient(loss, w1, b1, w2, b2), w1, b1, w2, b2);
        return loss;
      },
      {.check = true});
  for (int i = 0; i < 3; ++i) step(random::normal({100, 20}), random::normal({100, 16}));
  CHECK(step.explain_fusion().find(": one launch of 4 segments\n") != std::string::npos);
}

TEST_CASE("a failed assert_finite stops a step before it writes, also where its result is not used",
          "[compile][atomic]") {
  Variable w = ones({2});
  auto step = compile([&](const Tensor& x) {
    const Tensor loss = sum(log(x) * w);
    assert_finite(loss);
    w.assign_add(1);
    return loss;
  });
  step(tensor({1, 2}));
  try {
    step(tensor({1, -2}));
    FAIL("no error");
  } catch (const NumericsError& e) {
    CHECK(std::string(e.what()).find("assert_finite: 1 of 1 elements are not finite; the first is nan at []") == 0);
  }
  CHECK(w.value().to_vector<float>() == std::vector<float>{2, 2});
}

TEST_CASE("one convolution applied twice is packed once", "[compile]") {
  const Variable weight = random::normal({3, 3, 3, 3});
  const auto conv = [&](const Tensor& x) { return conv2d(x, weight, {.padding = 1}); };
  const Tensor a = random::normal({2, 3, 8, 8}), b = random::normal({2, 3, 8, 8});
  const auto beside = [&](const Tensor& a, const Tensor& b) { return conv(a) - conv(b); };
  CHECK_SAME(compile(beside)(a, b), beside(a, b));
  const auto deep = [&](const Tensor& a) { return conv(relu(conv(a))); };
  CHECK_SAME(compile(deep)(a), deep(a));
  const auto gradient = [&](const Tensor& a) {
    GradientTape tape;
    return tape.gradient(sum(square(deep(a))), weight);
  };
  CHECK_SAME(compile(gradient)(a), gradient(a));
}

TEST_CASE("a gradient through a compiled call adds the cotangents of equal expressions in turn", "[compile]") {
  Variable w(random::normal({5, 5}));
  const Tensor x = random::normal({6, 5});
  const auto f = [&](const Tensor& x) {
    return sum(tanh(matmul(x, w)) + sin(matmul(x, w)) + exp(x * 0.3) * exp(x * 0.3));
  };
  const auto gradients = [&](const auto& f) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = f(x);
    return tape.gradient(y, x, w);
  };
  const auto compiled = compile(f);
  const auto [dx, dw] = gradients(f);
  const auto [cx, cw] = gradients(compiled);
  CHECK_SAME(cx, dx);
  CHECK_SAME(cw, dw);
  CHECK_SAME(grad(compiled)(x), grad(f)(x));
}

TEST_CASE("traces of many sizes keep few arenas", "[compile][once]") {
  const auto f = compile([](const Tensor& x) { return sum(softmax(cumsum(x, 0), 0) * cumsum(x * 2, 0)); });
  const std::int64_t before = memory_stats().live_bytes;
  for (std::int64_t rows = 40; rows < 60; ++rows) CHECK(f(ones({rows, 100'000})).item() > 0);
  CHECK(f.stats().traces == 20);
  CHECK(f.stats().arena_bytes > (20 << 20));
  CHECK(memory_stats().live_bytes - before < 3 * f.stats().arena_bytes + (64 << 20));
}
