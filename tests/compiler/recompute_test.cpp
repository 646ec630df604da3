// recompute in compiled code: the same gradients to the bit, from a smaller arena.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

Tensor noise(const Shape& shape, double scale, std::uint64_t seed) {
  Random random(seed);
  return random_tensor(random, shape, f32, -scale, scale);
}

struct Run {
  Tensor gradient;
  std::int64_t arena;
};

// The gradient by x of sum(block(... block(x))), compiled; `depth` blocks.
template <class Block> Run chain(const Block& block, const Tensor& x, int depth) {
  auto f = compile(grad([&](const Tensor& at) {
    Tensor t = at;
    for (int k = 0; k < depth; ++k) t = block(t);
    return sum(t * t);
  }));
  const Tensor g = f(x);
  return {g, f.stats().arena_bytes};
}

}  // namespace

TEST_CASE("recompute lowers the arena of a compiled deep chain of matrix products", "[recompute][compile][once]") {
  const Tensor x = noise({256, 256}, 1, 1), w = noise({256, 256}, 0.1, 2);
  const auto block = [&](Tensor t) {
    for (int i = 0; i < 4; ++i) t = tanh(matmul(t, w));
    return t;
  };
  const Run plain = chain(block, x, 32), less = chain(recompute(block), x, 32);
  CHECK_SAME(less.gradient, plain.gradient);
  INFO(plain.arena << " and " << less.arena);
  CHECK(less.arena * 3 < plain.arena);
}

TEST_CASE("recompute lowers the arena of a compiled deep chain of elementwise ops", "[recompute][compile][once]") {
  const Tensor x = noise({256, 256}, 1, 3);
  const auto block = [](Tensor t) {
    for (int i = 0; i < 6; ++i) t = sin(t * 1.1) + t * 0.1;
    return t;
  };
  const Run plain = chain(block, x, 32), less = chain(recompute(block), x, 32);
  CHECK_SAME(less.gradient, plain.gradient);
  INFO(plain.arena << " and " << less.arena);
  CHECK(less.arena * 2 < plain.arena);
}

TEST_CASE("recompute of blocks with dropout: the same masks, a smaller arena, the generator moved once",
          "[recompute][compile][random][once]") {
  const Tensor x = noise({128, 128}, 1, 4), w = noise({128, 128}, 0.1, 5);
  const auto block = [&](random::Generator& generator) {
    return [&](Tensor t) {
      for (int i = 0; i < 4; ++i) t = tanh(matmul(t, w)) * cast(random::bernoulli({128, 128}, 0.8, generator), f32);
      return t;
    };
  };
  random::Generator a(7), b(7), c(7);
  const Run plain = chain(block(a), x, 16), less = chain(recompute(block(b)), x, 16);
  CHECK_SAME(less.gradient, plain.gradient);
  CHECK_SAME(b.state.value(), a.state.value());
  INFO(plain.arena << " and " << less.arena);
  CHECK(less.arena * 2 < plain.arena);

  const auto eager = grad([&](const Tensor& at) {
    Tensor t = at;
    for (int k = 0; k < 16; ++k) t = recompute(block(c))(t);
    return sum(t * t);
  });
  CHECK_SAME(eager(x), plain.gradient);
}

TEST_CASE("recompute in a compiled step with an optimizer: the same parameters, a smaller arena",
          "[recompute][compile][once]") {
  const auto train = [&](bool again) {
    std::vector<Variable> w, momentum;
    for (int k = 0; k < 4; ++k) {
      w.emplace_back(noise({64, 64}, 0.2, static_cast<std::uint64_t>(10 + k)));
      momentum.emplace_back(zeros({64, 64}), false);
    }
    random::Generator generator(3);
    const auto layer = [&](Tensor t) {
      for (const Variable& v : w) t = tanh(matmul(t, v)) + t * cast(random::bernoulli({512, 64}, 0.9, generator), f32);
      return t;
    };
    auto step = compile([&](const Tensor& x) {
      GradientTape tape;
      Tensor t = x;
      for (int k = 0; k < 16; ++k) t = again ? recompute(layer)(t) : layer(t);
      const Tensor loss = mean(square(t));
      const std::vector<Tensor> g = tape.gradient(loss, w);
      for (std::size_t k = 0; k < w.size(); ++k) {
        momentum[k].assign(0.9f * momentum[k] + g[k]);
        w[k].assign_sub(0.1f * momentum[k]);
      }
      return loss;
    });
    const Tensor x = noise({512, 64}, 1, 9);
    std::vector<Tensor> seen;
    for (int k = 0; k < 3; ++k) seen.push_back(step(x));
    for (const Variable& v : w) seen.push_back(v.value());
    return std::pair(seen, step.stats().arena_bytes);
  };
  const auto [expected, plain] = train(false);
  const auto [found, less] = train(true);
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK_SAME(found[k], expected[k]);
  INFO(plain << " and " << less);
  CHECK(less * 2 < plain);
}

TEST_CASE("recompute within recompute lowers the compiled arena further", "[recompute][compile][once]") {
  const Tensor x = noise({64, 64}, 1, 1), w = noise({64, 64}, 0.2, 2);
  const auto layers = [&](Tensor t) {
    for (int i = 0; i < 8; ++i) t = tanh(matmul(t, w));
    return t;
  };
  const auto eight = [](auto f) {
    return [f](Tensor t) {
      for (int i = 0; i < 8; ++i) t = f(t);
      return t;
    };
  };
  const Run plain = chain(eight(layers), x, 8), outer = chain(recompute(eight(layers)), x, 8),
            both = chain(recompute(eight(recompute(layers))), x, 8);
  CHECK_SAME(outer.gradient, plain.gradient);
  CHECK_SAME(both.gradient, plain.gradient);
  INFO(plain.arena << ", " << outer.arena << " and " << both.arena);
  CHECK(outer.arena * 4 < plain.arena);
  CHECK(both.arena * 2 < outer.arena);
}

TEST_CASE("a compiled function that recomputes does so under a tape too, to order 2", "[recompute][compile][call]") {
  const Tensor x = noise({64, 64}, 1, 1), w = noise({64, 64}, 0.2, 2);
  const auto block = [&](Tensor t) {
    for (int i = 0; i < 8; ++i) t = tanh(matmul(t, w));
    return t;
  };
  const auto peak = [&](auto f) {
    auto deep = compile([f](Tensor t) {
      for (int k = 0; k < 8; ++k) t = f(t);
      return sum(t * t);
    });
    Tensor first;
    std::int64_t bytes = 0;
    for (int run = 0; run < 2; ++run) {  // the first run compiles
      GradientTape tape;
      tape.watch(x);
      const std::int64_t before = memory_stats().live_bytes;
      const Tensor y = deep(x);
      bytes = memory_stats().live_bytes - before;  // what the tape keeps
      first = tape.gradient(y, x);
    }
    const Tensor second = hvp(deep, x, ones({64, 64}));
    return std::tuple(bytes, first, second);
  };
  const auto [plain, dx, ddx] = peak(block);
  const auto [less, dy, ddy] = peak(recompute(block));
  CHECK_SAME(dy, dx);
  CHECK_NEAR(ddy, ddx, 1e-5);
  INFO(plain << " and " << less);
  CHECK(less * 4 < plain);
}
