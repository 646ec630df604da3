// Random graphs with gradients: compiled equals eager to the bit. A failure prints its seed; WEFT_FUZZ_SEEDS=N runs more.
#include <weft/weft.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "catch.h"

using namespace weft;

namespace {

struct Builder {
  std::mt19937 rng;
  std::vector<Tensor> pool;

  int below(int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); }
  Tensor pick() { return pool[static_cast<std::size_t>(below(static_cast<int>(pool.size())))]; }
  int axis(const Tensor& t) { return below(t.rank()); }

  // One more value, or none where the op does not fit what was picked.
  void grow() {
    const Tensor a = pick();
    const bool axes = a.rank() > 0;
    const auto put = [&](const Tensor& t) {
      if (t.size() > 0 && t.size() <= 20000) pool.push_back(t);
    };
    switch (below(27)) {
      case 0: return put(a + pick());
      case 1: return put(a * pick());
      case 2: return put(tanh(a));
      case 3: return put(sigmoid(a) - 0.5);
      case 4: return put(exp(clip(a, -3, 3)));
      case 5: return axes ? put(sum(a, axis(a))) : void();
      case 6: return axes ? put(sum(a, axis(a), true)) : void();
      case 7: return axes ? put(max(a, -1, true)) : void();
      case 8: return axes ? put(softmax(a, axis(a))) : void();
      case 9: return axes ? put(swap_axes(a, axis(a), axis(a))) : void();
      case 10: {
        const Tensor b = pick();
        if (a.rank() >= 2 && b.rank() >= 2 && b.shape()[b.rank() - 2] == a.shape().back()) put(matmul(a, b) * 0.1);
        return;
      }
      case 11: {
        const Tensor b = pick(), c = pick();
        return put(where(a > b, a, c));
      }
      case 12: return axes ? put(slice_axis(a, axis(a), below(3), 5 + below(50), 1 + below(2))) : void();
      case 13: return axes ? put(log_softmax(a, -1)) : void();
      case 14: return put(reshape(a, {-1}));
      case 15: return put(expand(a, below(a.rank() + 1)));
      case 16: return put(mean(a));
      case 17: return axes ? put(var(a, -1, true)) : void();
      case 18: return put(relu(a));
      case 19: return put(a / (abs(pick()) + 1));
      case 20: return put(maximum(a, pick()));
      case 21: return axes ? put(concat({a, a * 2}, axis(a))) : void();
      case 22: return axes ? put(pad(a, Ints::filled(a.rank(), 1), Ints::filled(a.rank(), 1), 0.5)) : void();
      case 23: return axes ? put(cast(argmax(a, axis(a)), f32) * 0.1) : void();
      case 24: return put(square(a) - sqrt(abs(a) + 0.1));
      case 25: return axes ? put(prod(clip(a, 0.9, 1.1), -1)) : void();
      default: return axes ? put(cast(cast(a * 3, i32), f32) * 0.2) : void();
    }
  }
};

std::vector<Tensor> with_gradients(std::vector<Tensor> inputs, unsigned seed) {
  GradientTape tape;
  tape.watch(inputs);
  Builder b{std::mt19937(seed), inputs};
  for (int k = 0; k < 12; ++k) {
    try {
      b.grow();
    } catch (const ShapeError&) {  // operands that do not broadcast
    }
  }
  Tensor loss = mean(b.pool.back());
  for (std::size_t k = inputs.size(); k < b.pool.size(); ++k) loss = loss + mean(b.pool[k]) * 0.3;
  std::vector<Tensor> results(b.pool.begin() + static_cast<std::ptrdiff_t>(inputs.size()), b.pool.end());
  results.push_back(loss);
  for (const Tensor& g : tape.gradient(loss, inputs, GradientOptions{.unconnected = Unconnected::zero})) results.push_back(g);
  return results;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<float>(), y = b.to_vector<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] != x[i] && y[i] != y[i]) continue;
    if (std::memcmp(&x[i], &y[i], sizeof x[i]) != 0) return false;
  }
  return a.type() == b.type();
}

}  // namespace

TEST_CASE("random graphs and their gradients give the same bits compiled as eager", "[compiler][fuzz]") {
  const char* wish = std::getenv("WEFT_FUZZ_SEEDS");
  const int seeds = wish ? std::atoi(wish) : 60;
  const std::int64_t tensors = live_tensors();
  for (int seed = 0; seed < seeds; ++seed) {
    std::mt19937 g(static_cast<unsigned>(seed));
    const auto extent = [&](unsigned n) { return static_cast<std::int64_t>(1 + g() % n); };
    const std::int64_t a = extent(40), b = extent(70), c = extent(20);
    Generator generator(static_cast<std::uint64_t>(seed));
    std::vector<Tensor> inputs;
    for (const Shape& shape : {Shape{a, b}, Shape{b, a}, Shape{b}, Shape{a, 1}, Shape{c, a, b}, Shape{}})
      inputs.push_back(random::normal(shape, 0, 1, f32, generator));
    const auto f = [&](const std::vector<Tensor>& in) { return with_gradients(in, static_cast<unsigned>(seed)); };
    const std::vector<Tensor> expected = f(inputs);
    auto compiled = compile(f);
    for (int call = 0; call < 2; ++call) {
      const std::vector<Tensor> results = compiled(inputs);
      REQUIRE(results.size() == expected.size());
      for (std::size_t k = 0; k < expected.size(); ++k) {
        INFO("seed " << seed << ", call " << call << ", result " << k << " of " << expected.size());
        REQUIRE(same_bits(expected[k], results[k]));
      }
    }
  }
  CHECK(live_tensors() == tensors);
}
