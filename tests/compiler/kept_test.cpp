// Values that a compiled function keeps of its variables are never those of another value of the variable.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

Tensor product(const Tensor& x, const Tensor& w) {
  return cast(matmul(cast(x, DType::bf16), cast(w, DType::bf16)), f32);
}

// A function that keeps the 16-bit copy of w, and one that also updates it.
auto reader(const Variable& w) {
  return compile([&w](const Tensor& x) { return product(x, w); });
}
auto trainer(Variable& w) {
  return compile([&w](const Tensor& x) {
    const Tensor y = product(x, w);
    w.assign_sub(0.125 * product(transpose(x), y));
    return y;
  });
}

Tensor numbers(const Shape& shape, double from = -1) { return reshape(linspace(from, 1, count(shape), f32), shape); }

}  // namespace

TEST_CASE("what captured tensors make is computed once", "[compile][kept]") {
  const NoLeaks guard;
  const Tensor a = numbers({128, 130}), b = numbers({130, 128}, -3), x = numbers({3, 128});
  auto f = compile([&](const Tensor& t) { return matmul(t, matmul(a, b)); });
  for (int i = 0; i < 3; ++i) CHECK_SAME(f(x), matmul(x, matmul(a, b)));
  CHECK(f.stats().kept_values == 1);
  CHECK(f.stats().kept_bytes == 128 * 128 * 4);
  CHECK(f.stats().kept_made == 1);

  Variable w(numbers({128, 128}), true, "w");
  auto g = compile([&](const Tensor& t) { return matmul(t, matmul(w, matmul(a, b))); });
  for (int i = 0; i < 2; ++i) CHECK_SAME(g(x), matmul(x, matmul(w, matmul(a, b))));
  w.assign(numbers({128, 128}, 0));
  CHECK_SAME(g(x), matmul(x, matmul(w, matmul(a, b))));
  CHECK(g.stats().kept_made == 2);
}

TEST_CASE("what is kept is computed once, and again after each kind of assignment", "[compile][kept]") {
  const NoLeaks guard;
  Variable w(numbers({6, 6}), true, "w");
  const Variable best(numbers({6, 6}, -3));
  const Tensor x = numbers({5, 6});
  auto f = reader(w);
  auto set = compile([&](const Tensor& t) { w.assign(t); });
  std::size_t made = 0;
  const auto check = [&](bool anew) {
    made += anew;
    for (int i = 0; i < 2; ++i) CHECK_SAME(f(x), product(x, w));
    CHECK(f.stats().kept_made == made);
  };
  check(true);
  CHECK(f.stats().kept_values == 1);
  CHECK(f.stats().kept_bytes == 6 * 6 * 2);
  w.assign(numbers({6, 6}, 0));
  check(true);
  w.assign_add(ones({6, 6}));
  check(true);
  w.assign(0.5);
  check(true);
  w = best;
  check(true);
  set(numbers({6, 6}, -2));  // in place
  check(true);
  const Tensor held = w.value();
  set(numbers({6, 6}, -4));  // to a new buffer
  check(true);
  w.assign(held);
  check(true);
  w.assign(w.value());  // nothing changes
  check(false);
}

TEST_CASE("a step that updates its weight computes the copy with it", "[compile][kept]") {
  const NoLeaks guard;
  Variable w(numbers({6, 6})), same(numbers({6, 6}));
  const Tensor x = numbers({5, 6});
  auto step = trainer(w);
  const auto eager = [&] {
    const Tensor y = product(x, same);
    same.assign_sub(0.125 * product(transpose(x), y));
    return y;
  };
  const auto check = [&](std::size_t made) {
    for (int i = 0; i < 3; ++i) CHECK_SAME(step(x), eager());
    CHECK_SAME(w.value(), same.value());
    CHECK(step.stats().kept_made == made);
  };
  check(1);
  for (Variable* v : {&w, &same}) v->assign(numbers({6, 6}, -2));
  check(2);
  const Tensor held = w.value();  // the update goes to a new buffer
  check(2);
  for (Variable* v : {&w, &same}) v->assign(held);
  check(3);
  CHECK(step.dump("plan").find("kept 0: in place") != std::string::npos);
  CHECK(step.dump("graph").find("computed by the loop of the update") != std::string::npos);
  CHECK(step.explain_fusion().find("kept") != std::string::npos);
}

TEST_CASE("two functions keep what they need of one variable, each its own", "[compile][kept]") {
  const NoLeaks guard;
  Variable w(numbers({6, 6})), same(numbers({6, 6}));
  const Tensor x = numbers({5, 6});
  auto step = trainer(w), reference = trainer(same);
  auto f = reader(w);
  for (int i = 0; i < 4; ++i) {
    CHECK_SAME(step(x), reference(x));
    CHECK_SAME(f(x), product(x, same));
    if (i == 2) w.assign(ones({6, 6})), same.assign(ones({6, 6}));
  }
  CHECK(step.stats().kept_made == 2);
  CHECK(f.stats().kept_made == 4);
}

TEST_CASE("a function keeps what is made of several variables while all of them stay", "[compile][kept]") {
  const NoLeaks guard;
  Variable v(numbers({4, 4})), w(numbers({4, 4}, -2)), u(numbers({4, 4}, -3));
  const Tensor x = numbers({3, 4});
  const auto plain = [&](const Tensor& t) { return matmul(matmul(t, matmul(v, w)), matmul(u, u)); };
  auto f = compile(plain);
  CHECK_SAME(f(x), plain(x));
  CHECK(f.stats().kept_made == 2);
  v.assign(ones({4, 4}));
  CHECK_SAME(f(x), plain(x));
  w.assign_add(v);
  CHECK_SAME(f(x), plain(x));
  CHECK(f.stats().kept_made == 4);  // not that of u
}

TEST_CASE("a function called with other variables keeps nothing of those before", "[compile][kept]") {
  const NoLeaks guard;
  auto f = compile([](const Variable& w, const Tensor& x) { return product(x, w); });
  auto step = compile([](Variable& w, const Tensor& x) {
    const Tensor y = product(x, w);
    w.assign_sub(0.125 * product(transpose(x), y));
    return y;
  });
  std::vector<Variable> all;
  for (int i = 0; i < 3; ++i) all.emplace_back(numbers({6, 6}, -i));
  const Tensor x = numbers({5, 6});
  for (int round = 0; round < 2; ++round)
    for (Variable& w : all) {
      Variable copy = w;
      CHECK_SAME(f(w, x), product(x, w));
      CHECK_SAME(step(w, x), product(x, copy));
      CHECK_SAME(step(w, x), product(x, copy - 0.125 * product(transpose(x), product(x, copy))));
    }
  CHECK(f.stats().traces <= 2);
}

TEST_CASE("a step that throws leaves nothing kept that is not of the variable's value", "[compile][kept]") {
  Variable w(numbers({6, 6})), same(numbers({6, 6}));
  const Tensor x = numbers({5, 6}), good = cast(tensor({1, 2}), i64), bad = cast(tensor({1, 9}), i64);
  const auto body = [](Variable& v, const Tensor& t, const Tensor& i) {
    const Tensor y = product(t, v);
    v.assign_sub(0.125 * product(transpose(t), y));
    return gather(product(t, v), i, 0);
  };
  auto step = compile([&](const Tensor& t, const Tensor& i) { return body(w, t, i); });
  for (int round = 0; round < 3; ++round) {
    const Tensor before = w.value();
    CHECK_THROWS_AS(step(x, bad), IndexError);
    CHECK_SAME(w.value(), before);
    CHECK_SAME(step(x, good), body(same, x, good));
    CHECK_SAME(w.value(), same.value());
  }
}

TEST_CASE("a plain call that throws gives back the value that is kept", "[compile][kept]") {
  Variable w(numbers({6, 6}));
  const Tensor x = numbers({5, 6});
  auto f = reader(w);
  const Tensor before = f(x);
  auto fails = compile([&](const Tensor& t) {
    w.assign(t);
    throw ArgumentError("after the assignment");
    return t;
  });
  const debug::AnomalyScope plain;
  CHECK_THROWS_AS(fails(ones({6, 6})), ArgumentError);
  CHECK_SAME(f(x), before);
}

TEST_CASE("under check a step with kept values gives the eager bits", "[compile][kept]") {
  Variable w(numbers({6, 6}));
  auto step = compile(
      [&](const Tensor& x) {
        const Tensor y = product(x, w);
        w.assign_sub(0.125 * product(transpose(x), y));
        return y;
      },
      {.check = true});
  for (int i = 0; i < 3; ++i) step(numbers({5, 6}));
  CHECK(step.stats().kept_values > 0);
}

TEST_CASE("a convolution's weight is packed once, with the eager bits", "[compile][kept][conv]") {
  // How many values are kept.
  const auto check = [](const Shape& images, const Shape& weight, auto conv) {
    const Tensor x = random::normal(images);
    Variable w = random::normal(weight);
    auto f = compile([&](const Tensor& t) { return conv(t, w); });
    for (int i = 0; i < 2; ++i) {
      CHECK_SAME(f(x), conv(x, w));
      CHECK_SAME(f(x + 1), conv(x + 1, w));
      w.assign_add(0.5);
    }
    CHECK(f.stats().kept_made == 2 * f.stats().kept_values);
    return f.stats().kept_values;
  };
  const auto same = [](const Tensor& x, const Tensor& w) {
    return conv2d(x, w, {.padding = Pad::same, .channels_last = true});
  };
  for (const std::int64_t n : {1, 5}) {
    check({n, 14, 14, 1}, {16, 1, 3, 3}, same);
    CHECK(check({n, 14, 14, 16}, {32, 16, 3, 3}, same) == 1);
    check({n, 9, 9, 3}, {20, 3, 3, 3}, same);
    check({n, 7, 7, 64}, {256, 64, 3, 3}, same);  // its channels are cut
    check({n, 8, 8, 256}, {128, 256, 1, 1}, same);
    check({n, 8, 20}, {12, 2, 5}, [](const Tensor& x, const Tensor& w) { return conv1d(x, w, {.groups = 4}); });
    check({n, 16, 9, 9}, {16, 24, 3, 3},
          [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {.stride = 2, .padding = 1}); });
  }
  check({1, 36, 86, 84}, {36, 32, 3, 3},  // turned round
        [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {.padding = 1}); });
  const auto half = [&](const Tensor& x, const Tensor& w) { return same(cast(x, DType::bf16), cast(w, DType::bf16)); };
  CHECK(check({2, 6, 6, 16}, {32, 16, 3, 3}, half) == 1);  // at least its copy
  CHECK(check({2, 6, 6, 16}, {32, 16, 3, 3}, [&](const Tensor& x, const Tensor& w) { return same(x, w * 2); }) == 1);
}

TEST_CASE("threads share what a function keeps of a variable", "[compile][kept][threads]") {
  const NoLeaks guard;
  auto f = compile([](const Variable& w, const Tensor& x) { return product(x, w); });
  std::vector<Variable> all;
  for (int i = 0; i < 2; ++i) all.emplace_back(numbers({24, 24}, -i));
  const Tensor x = numbers({5, 24});
  std::vector<Tensor> expected;
  for (const Variable& w : all) expected.push_back(product(x, w)), f(w, x);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 50; ++i) {
        const std::size_t k = (t + i / 10) % 2;  // now all the same, now two of each
        wrong += difference(f(all[k], x), expected[k]) != "";
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("threads that train on one variable take its copy in turn", "[compile][kept][threads]") {
  const NoLeaks guard;
  Variable w(numbers({6, 6})), same(numbers({6, 6}));
  const Tensor x = numbers({5, 6});
  auto step = trainer(w), other = trainer(w), reference = trainer(same);
  step(x), other(x);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) t % 2 ? step(x) : other(x);
    });
  for (std::thread& t : threads) t.join();
  for (int i = 0; i < 42; ++i) reference(x);
  CHECK_SAME(w.value(), same.value());
}

TEST_CASE("what is kept takes its memory once, and goes with the function", "[compile][kept][memory]") {
  Variable w(numbers({64, 64}));
  const Tensor x = numbers({8, 64});
  const std::int64_t before = memory_stats().live_bytes;
  {
    auto step = trainer(w);
    auto f = reader(w);
    for (int i = 0; i < 3; ++i) step(x), f(x);
    const MemoryStats steady = memory_stats();
    for (int i = 0; i < 20; ++i) step(x), f(x);
    CHECK(memory_stats().live_bytes == steady.live_bytes);
    CHECK(memory_stats().system_allocations == steady.system_allocations);
    CHECK(steady.live_bytes - before >= 2 * 64 * 64 * 2);
  }
  CHECK(memory_stats().live_bytes == before);
}

TEST_CASE("what a function captured is listed though only what is kept reads it", "[compile][kept]") {
  const Variable w(numbers({4, 4}));
  const Tensor mask = numbers({4, 4}).named("mask");
  auto f = compile([&](const Tensor& x) { return matmul(x, matmul(w, mask)); });
  CHECK_SAME(f(numbers({2, 4})), matmul(numbers({2, 4}), matmul(w, mask)));
  CHECK(f.captures() == std::vector<std::string>{"variable f32[4, 4]", "\"mask\" f32[4, 4]"});
}
