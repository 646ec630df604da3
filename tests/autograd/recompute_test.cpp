// recompute: the same gradients for less memory.
#include <weft/autograd/recompute.h>
#include <weft/autograd/vmap.h>
#include <weft/ops/random.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("recompute gives the gradients of the function, to order 2, forward too", "[recompute][1.6.10]") {
  Random random(31);
  const Tensor x = random_tensor(random, {2, 3}, f64);
  const NoLeaks guard;
  const auto f = [](const Tensor& t) { return tanh(t * t) * sin(t); };
  CHECK(gradcheck(recompute(f), x).message == "");
  CHECK(gradcheck([&](const Tensor& t) { return recompute(f)(recompute(f)(t)) + t; }, x).message == "");
  const auto third = [](auto g, const Tensor& at) {
    return grad([g](const Tensor& a) {
      return sum(grad([g](const Tensor& b) { return sum(grad([g](const Tensor& d) { return sum(g(d)); })(b)); })(a));
    })(at);
  };
  CHECK_NEAR(third(recompute(f), x), third(f, x), 1e-10);
}

TEST_CASE("recompute: variables' gradients arrive, with the values that they had", "[recompute]") {
  Variable w(scalar(3));
  const NoLeaks guard;
  const auto f = recompute([&](const Tensor& x) { return std::pair(x * w * w, x); });
  const Tensor x = scalar(2);
  GradientTape tape;
  tape.watch(x);
  const auto [y, same] = f(x);
  w.assign(100);
  const auto [dw, dx] = tape.gradient(y + same, w, x);
  CHECK_GRADIENT(dw, 12);
  CHECK_GRADIENT(dx, 10);
}

TEST_CASE("recompute draws the same random numbers again, and moves the generator once", "[recompute]") {
  random::Generator generator(5), other(5);
  const Tensor x = ones({100});
  const auto f = [](const Tensor& t, random::Generator& g) { return t * random::uniform({100}, 0, 1, f32, g); };
  GradientTape tape;
  tape.watch(x);
  const Tensor y = recompute([&](const Tensor& t) { return f(t, generator); })(x);
  CHECK_SAME(y, f(x, other));
  CHECK_SAME(tape.gradient(y, x), y);
  CHECK_SAME(generator.state.value(), other.state.value());
}

TEST_CASE("recompute lowers the peak of a deep chain", "[recompute]") {
  const Tensor x = full({20000}, 0.5, f64);
  const auto block = [](Tensor t) {
    for (int i = 0; i < 10; ++i) t = sin(t * 1.1) + t * 0.1;
    return t;
  };
  const auto peak = [&](auto f) {
    GradientTape tape;
    tape.watch(x);
    reset_peak_memory();
    const std::int64_t before = memory_stats().live_bytes;
    Tensor t = x;
    for (int i = 0; i < 10; ++i) t = f(t);
    const Tensor g = tape.gradient(t, x);
    return std::pair(memory_stats().peak_bytes - before, g);
  };
  const auto [plain, expected] = peak(block);
  const auto [less, g] = peak(recompute(block));
  CHECK_SAME(g, expected);
  CHECK(less * 3 < plain);
}

TEST_CASE("recompute within recompute lowers the peak further", "[recompute]") {
  const Tensor x = full({20000}, 0.5, f64);
  const auto block = [](Tensor t) {
    for (int i = 0; i < 8; ++i) t = sin(t * 1.1) + t * 0.1;
    return t;
  };
  const auto eight = [](auto f) {
    return [f](Tensor t) {
      for (int i = 0; i < 8; ++i) t = f(t);
      return t;
    };
  };
  const auto peak = [&](auto f) {
    GradientTape tape;
    tape.watch(x);
    reset_peak_memory();
    const std::int64_t before = memory_stats().live_bytes;
    const Tensor y = f(f(f(f(x))));
    const Tensor g = tape.gradient(y, x);
    return std::pair(memory_stats().peak_bytes - before, g);
  };
  const auto [plain, expected] = peak(eight(block));
  const auto [outer, g] = peak(recompute(eight(block)));
  const auto [both, h] = peak(recompute(eight(recompute(block))));
  CHECK_SAME(g, expected);
  CHECK_SAME(h, expected);
  INFO(plain << ", " << outer << " and " << both);
  CHECK(outer * 2 < plain);
  CHECK(both * 3 < outer);
}

TEST_CASE("recompute under vmap keeps what goes in alone, and is run again", "[recompute][vmap]") {
  const Tensor x = full({20000}, 0.5, f64);
  const auto block = [](Tensor t) {
    for (int i = 0; i < 8; ++i) t = sin(t * 1.1);
    return t;
  };
  const auto kept = [&](auto f) {
    GradientTape tape;
    tape.watch(x);
    const std::int64_t before = memory_stats().live_bytes;
    const Tensor y = vmap(f)(x);
    const std::int64_t bytes = memory_stats().live_bytes - before;
    return std::pair(bytes, tape.gradient(y, x));
  };
  const auto [plain, expected] = kept(block);
  const auto [less, g] = kept(recompute(block));
  CHECK_SAME(g, expected);
  CHECK(less * 4 < plain);
}
