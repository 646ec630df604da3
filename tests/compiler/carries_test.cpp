// Carries of loops that lie in one place through all rounds: those that a round updates, or leaves as they are.
#include <weft/autograd/control_flow.h>
#include <weft/autograd/tape.h>
#include <weft/compiler/compile.h>
#include <weft/ops/activations.h>
#include <weft/ops/compose.h>
#include <weft/ops/indexing.h>
#include <weft/ops/linalg.h>
#include <weft/ops/manipulate.h>
#include <weft/ops/rearrange.h>

#include <tuple>
#include <vector>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

using Three = std::tuple<Tensor, Tensor, Tensor>;

// What some tensors are made of in a round, drawn: sums, products of matrices, rows set, transposes, rows moved.
struct DrawnBody {
  std::uint64_t seed;

  Three operator()(const Three& carry, const Tensor& x) const {
    Random r(static_cast<unsigned>(seed));
    std::vector<Tensor> pool = {std::get<0>(carry), std::get<1>(carry), std::get<2>(carry)};
    const auto any = [&]() -> const Tensor& { return pool[static_cast<std::size_t>(r.below(std::ssize(pool)))]; };
    const std::int64_t n = pool[0].shape()[0];
    for (int step = 0; step < 5; ++step) {
      const Tensor &a = any(), &b = any();
      switch (r.below(10)) {
        case 0: pool.push_back(a * 0.5 + b * 0.25); break;
        case 1: pool.push_back(tanh(a) + x); break;
        case 2: pool.push_back(matmul(a, b) * (1.0 / static_cast<double>(n))); break;
        case 3: pool.push_back(transpose(a)); break;
        case 4:
          pool.push_back(scatter_set(a, reshape(cast(x * 0 + r.below(n), i64), {1}), expand(gather(b, 1), 0)));
          break;
        case 5: pool.push_back(a - mean(b, 1, true)); break;
        case 6: pool.push_back(sin(a) + mean(b, 0)); break;
        case 7: pool.push_back(concat({slice_axis(a, 0, 1, n), slice_axis(a, 0, 0, 1)}, 0)); break;
        case 8: pool.push_back(concat({tanh(slice_axis(b, 0, 0, 1)), sin(slice_axis(a, 0, 0, n - 1))}, 0)); break;
        case 9: {
          const Tensor kept = cos(slice_axis(a, 0, 0, n - 2));  // before what comes to lie in front of it
          pool.push_back(concat({tanh(slice_axis(matmul(b, b), 0, 0, 2)), kept}, 0));
          break;
        }
      }
    }
    const auto out = [&]() -> Tensor { return r.below(3) ? any() : pool.back(); };
    const Tensor a = out(), b = out();
    return {a, b, out()};
  }
};

}  // namespace

TEST_CASE("drawn rounds give the eager bits, whatever of their carries lies in place", "[control][carries]") {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    INFO("seed " << seed);
    Random r(7);
    const std::int64_t n = seed % 3 == 2 ? 96 : 5;
    const auto matrix = [&] { return random_tensor(r, {n, n}, f32); };
    const Three start{matrix(), matrix(), matrix()};
    const Tensor xs = random_tensor(r, {4}, f32);
    const auto loop = [&](const Three& s, const Tensor& t) {
      return scan([&](const Three& carry,
                      const Tensor& x) { return std::pair(DrawnBody{seed}(carry, x), std::get<0>(carry)); },
                  s, t)
          .first;
    };
    Three by_hand = start;
    for (std::int64_t i = 0; i < 4; ++i) by_hand = DrawnBody{seed}(by_hand, gather(xs, i));
    const auto [a, b, c] = loop(start, xs);
    const auto [d, e, f] = compile(loop)(start, xs);
    const auto counted = [&](const Three& s) {
      using State = std::pair<Tensor, Three>;
      return while_loop(
                 [](const State& t) { return t.first < 4; },
                 [&](const State& t) { return State(t.first + 1, DrawnBody{seed}(t.second, gather(xs, t.first))); },
                 State(zeros({}, i64), s))
          .second;
    };
    const auto [g, h, k] = compile(counted)(start);
    CHECK_SAME(a, std::get<0>(by_hand));
    CHECK_SAME(b, std::get<1>(by_hand));
    CHECK_SAME(c, std::get<2>(by_hand));
    CHECK_SAME(d, a);
    CHECK_SAME(e, b);
    CHECK_SAME(f, c);
    CHECK_SAME(g, a);
    CHECK_SAME(h, b);
    CHECK_SAME(k, c);
  }
}

TEST_CASE("what is written where another part of the old value was is not written in place", "[control][carries]") {
  for (const std::int64_t n : {8, 300}) {
    Random r(3);
    const Tensor c = random_tensor(r, {n, 4}, f32), xs = random_tensor(r, {4, 2, 4}, f32),
                 w = random_tensor(r, {4, 4}, f32);
    // A cache that rolls on: what was there moves two rows down.
    const auto body = [&](const Tensor& k, const Tensor& x) {
      const Tensor old = sin(slice_axis(k, 0, 0, n - 2)), fresh = matmul(matmul(x, w), w);
      return concat({tanh(fresh), old}, 0);
    };
    Tensor expected = c;
    for (std::int64_t i = 0; i < 4; ++i) expected = body(expected, gather(xs, i));
    const auto loop = [&](const Tensor& s, const Tensor& t) {
      return scan([&](const Tensor& k, const Tensor& x) { return std::pair(body(k, x), x); }, s, t).first;
    };
    CHECK_SAME(compile(loop)(c, xs), expected);
    Variable v = c;
    auto step = compile([&](const Tensor& x) { v.assign(body(v, x)); });
    for (std::int64_t i = 0; i < 4; ++i) step(gather(xs, i));
    CHECK_SAME(v.value(), expected);
  }
}
