// What a loop computes once for all of its rounds, and what it keeps of each for its gradient.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

Tensor draw(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  return random_tensor(random, shape, f64, -0.3, 0.3);
}

// The loop's last carry and stacked ys, by scan or written out.
using Cell = std::function<std::pair<Tensor, Tensor>(const Tensor& h, const Tensor& x, const Tensor& w)>;

Tensor by_scan(const Cell& cell, const Tensor& h0, const Tensor& xs, const Tensor& w) {
  const auto [h, ys] = scan([&](const Tensor& h, const Tensor& x) { return cell(h, x, w); }, h0, xs);
  return sum(square(ys)) + sum(sin(h));
}
Tensor written_out(const Cell& cell, const Tensor& h0, const Tensor& xs, const Tensor& w) {
  Tensor h = h0, loss = full({}, 0.0, f64);
  for (std::int64_t t = 0; t < xs.shape()[0]; ++t) {
    const auto [next, y] = cell(h, squeeze(slice_axis(xs, 0, t, t + 1), Ints{0}), w);
    h = next;
    loss = loss + sum(square(y));
  }
  return loss + sum(sin(h));
}

// How often a text is in the bodies of the loops of a stage, from the first or the second loop on.
int in_bodies(const std::string& stage, const std::string& what) {
  int n = 0;
  for (std::size_t at = stage.find("body of"); (at = stage.find(what, at)) != std::string::npos; ++at) ++n;
  return n;
}

struct Case {
  const char* name;
  Cell cell;
  std::int64_t rows;
  int inside, after_gradient;  // products in the bodies of the value, and of value and gradient
};
const std::vector<Case> cases = {
    {"a product of the carry is kept, by what is made of it",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const Tensor next = tanh(matmul(h, w) + x);
       return std::pair(next, next);
     },
     9, 1, 2},
    {"a product that a rule reads is kept itself",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const Tensor p = matmul(h, w);
       return std::pair(sin(p * p + x), x);
     },
     9, 1, 2},
    {"a product that no rule reads is not kept",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const Tensor next = matmul(h, w) + x;
       return std::pair(next, next);
     },
     9, 1, 2},
    {"few rows of an element are multiplied before the loop, with those of all rounds",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const Tensor next = tanh(matmul(h, w) + matmul(x, w));
       return std::pair(next, next);
     },
     2, 1, 2},
    {"many rows of an element are multiplied in their round",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const Tensor next = tanh(matmul(h, w) + matmul(x, w));
       return std::pair(next, next);
     },
     9, 2, 3},
    {"what depends on no round is computed before the loop",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const Tensor next = tanh(matmul(h, matmul(w, w)) + x * sum(exp(w)));
       return std::pair(next, next * 2);
     },
     9, 1, 2},
    {"a result that depends on no round",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return std::pair(sin(h) * x, exp(w)); }, 9, 0, 0},
    {"a matrix and its transpose",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const Tensor next = tanh(matmul(tanh(matmul(h, transpose(w))), w) + x);
       return std::pair(next, next + 1);
     },
     9, 2, 4},
    {"a recomputed round: twice",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const Tensor next = recompute([](const Tensor& a, const Tensor& b, const Tensor& c) {
         return tanh(matmul(sin(matmul(a, c)), c) + b);
       })(h, x, w);
       return std::pair(next, sin(next));
     },
     9, 2, 6},
    {"a loop in a loop: what is within it, again",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       const auto [next, ys] = scan(
           [&](const Tensor& a, const std::tuple<>&) {
             const Tensor b = sin(matmul(a, w) + x);
             return std::pair(b, b * a);
           },
           h, std::tuple(), {.length = 2});
       return std::pair(next, sum(ys, 0));
     },
     9, 1, 4},
};

}  // namespace

TEST_CASE("a loop's derivatives are those of the loop written out, whatever is kept of its rounds or taken out of them",
          "[control][scan]") {
  for (const Case& c : cases) {
    INFO(c.name);
    const Tensor h0 = draw({c.rows, 18}, 1), w = draw({18, 18}, 3), v = draw({18, 18}, 4);
    for (const std::int64_t n : {0, 1, 4}) {
      INFO(n << " rounds");
      const Tensor xs = draw({n, c.rows, 18}, 2);
      const auto loop = [&](const Tensor& t) { return by_scan(c.cell, h0 * sum(t), xs * sum(t), t); };
      const auto plain = [&](const Tensor& t) { return written_out(c.cell, h0 * sum(t), xs * sum(t), t); };
      CHECK_NEAR(loop(w), plain(w), 1e-11);
      CHECK_NEAR(grad(loop)(w), grad(plain)(w), 1e-9);
      CHECK_NEAR(hvp(loop, w, v), hvp(plain, w, v), 1e-7);
      CHECK_NEAR(jvp(loop, w, v).second, jvp(plain, w, v).second, 1e-9);
      CHECK_NEAR(jvp(grad(loop), w, v).second, hvp(plain, w, v), 1e-7);
      CHECK_SAME(compile(grad(loop))(w), grad(loop)(w));
    }
  }
}

TEST_CASE("a loop's products run once: neither in each round what all have in common, nor again in its gradient",
          "[control][scan][compile]") {
  for (const Case& c : cases) {
    INFO(c.name);
    const Tensor h0 = draw({c.rows, 18}, 1), xs = draw({4, c.rows, 18}, 2), w = draw({18, 18}, 3);
    auto value = compile([&](const Tensor& t) { return by_scan(c.cell, h0, xs, t); });
    auto gradient = compile(grad([&](const Tensor& t) { return by_scan(c.cell, h0, xs, t); }));
    value(w), gradient(w);
    INFO(value.dump("plan") << gradient.dump("plan"));
    CHECK(in_bodies(value.dump("plan"), ": matmul") == c.inside);
    CHECK(in_bodies(gradient.dump("plan"), ": matmul") == c.after_gradient);
  }
}

TEST_CASE("scan(recompute(body)) keeps the carries alone", "[control][scan][recompute]") {
  const Tensor h0 = draw({4, 64}, 1), xs = draw({50, 4, 64}, 2), w = draw({64, 64}, 3);
  const auto body = [&](const Tensor& h, const Tensor& x) {
    Tensor a = matmul(h, w) + x;
    for (int i = 0; i < 6; ++i) a = sin(a);
    return std::pair(a, sum(a));
  };
  const auto gradient = [&](auto f) {
    auto g = compile(grad([=](const Tensor& h) {
      const auto [last, ys] = scan(f, h, xs);
      return sum(last) + sum(ys);
    }));
    const Tensor result = g(h0);
    return std::pair(result, g.stats().arena_bytes);
  };
  const auto [kept, large] = gradient(body);
  const auto [again, small] = gradient(recompute(body));
  CHECK_SAME(again, kept);
  INFO(large << " and " << small);
  CHECK(small * 4 < large);
}

TEST_CASE("an unrecorded loop keeps nothing of its rounds", "[control][scan]") {
  const Tensor h0 = draw({4, 64}, 1), xs = draw({50, 4, 64}, 2), w = draw({64, 64}, 3);
  auto f = compile([&](const Tensor& h) {
    return scan([&](const Tensor& a, const Tensor& x) { return std::pair(sin(matmul(a, w) + x), std::tuple()); }, h, xs)
        .first;
  });
  f(h0);
  CHECK(f.dump("graph").find("scan f64[4, 64] %") != std::string::npos);
  CHECK(f.stats().arena_bytes < 50 * 4 * 64 * 8);
}
