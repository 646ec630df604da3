// Draws of every distribution, compiled and under vmap.
#include <weft/weft.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

const std::function<Tensor(random::Generator&)> draws[] = {
    [](random::Generator& g) { return random::uniform({5}, -1, 1, f64, g); },
    [](random::Generator& g) { return random::normal({5}, 0, 1, f64, g); },
    [](random::Generator& g) { return random::truncated_normal({5}, -2, 2, 0, 1, f64, g); },
    [](random::Generator& g) { return random::randint({5}, 0, 1'000'000, i64, g); },
    [](random::Generator& g) { return random::bernoulli({64}, 0.5, g); },
    [](random::Generator& g) { return random::bernoulli(broadcast_to(tensor(0.5), {64}), g); },
    [](random::Generator& g) { return random::categorical(zeros({1000}), 5, g); },
    [](random::Generator& g) { return random::permutation(100, g); },
    [](random::Generator& g) { return random::gamma({5}, 0.7, 2, f64, g); },
    [](random::Generator& g) {
      return random::gamma(tensor({0.5, 1, 2, 3, 4}), g);
    },
};

}  // namespace

TEST_CASE("compiled draws are the eager ones, call after call", "[random]") {
  for (const auto& draw : draws) {
    random::Generator eager(5), compiled(5);
    auto f = compile([&](const Tensor& x) { return cast(draw(compiled), f64) + x; });
    const Tensor x = tensor<double>({0});
    for (int call = 0; call < 3; ++call) CHECK_SAME(f(x), cast(draw(eager), f64) + x);
    CHECK_SAME(compiled.state.value(), eager.state.value());
  }
}

TEST_CASE("draws, before anything else, in a trace: run by the test below", "[.first-draw]") {
  if (!std::getenv("WEFT_TEST_FIRST_DRAW")) return;  // by a filter that excludes others alone: not the first
  auto f = compile([](const Tensor& x) { return x + random::uniform({2}); });
  const Tensor first = f(zeros({2}));
  random::seed(0);
  CHECK_SAME(first, random::uniform({2}));
}

TEST_CASE("the first draw of a program may be a traced one", "[random]") {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  CHECK(std::system(("WEFT_TEST_FIRST_DRAW=1 '" + program + "' '[.first-draw]' >/dev/null").c_str()) == 0);
}

TEST_CASE("under vmap each example has draws of its own, eager and compiled alike", "[random][vmap]") {
  for (const auto& draw : draws) {
    random::Generator eager(5), compiled(5);
    const auto mapped = [&](random::Generator& g, const Tensor& x) {
      return vmap([&](const Tensor& e) { return cast(draw(g), f64) + e; })(x);
    };
    const Tensor x = zeros({3, 1}, f64), y = mapped(eager, x);
    CHECK_FALSE(all(equal(slice_axis(y, 0, 0, 1), slice_axis(y, 0, 1, 2))).item<bool>());
    CHECK_FALSE(all(equal(slice_axis(y, 0, 1, 2), slice_axis(y, 0, 2, 3))).item<bool>());
    auto f = compile([&](const Tensor& t) { return mapped(compiled, t); });
    CHECK_SAME(f(x), y);
  }
}

TEST_CASE("under vmap concentrations of the examples' own; gradients flow to them and to the scale", "[random][vmap]") {
  const Tensor a = tensor<double>({{1, 2}, {300, 400}, {0.1, 0.2}});
  random::Generator one(5), all(5), scaled(5);
  CHECK_SAME(vmap([&](const Tensor& e) { return random::gamma(e, one); })(a), random::gamma(a, all));
  CHECK_SAME(one.state.value(), all.state.value());
  const Tensor s = tensor<double>({2, 3});
  GradientTape tape;
  tape.watch(std::vector{a, s});
  const Tensor g = random::gamma(a, scaled), y = g * s;
  const auto gradients = tape.gradient(y, std::vector{a, s});
  const auto slope = [&](const Tensor& e, random::Generator& generator) {
    return grad([&](const Tensor& c) { return sum(random::gamma(c, generator) * s); })(e);
  };
  random::Generator by_example(5), compiled(5);
  CHECK_SAME(gradients[0], vmap([&](const Tensor& e) { return slope(e, by_example); })(a));
  CHECK_SAME(gradients[0], compile([&](const Tensor& e) { return slope(e, compiled); })(a));
  CHECK_SAME(gradients[1], sum(g, 0));
}
