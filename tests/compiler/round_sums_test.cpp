// The gradient of what a loop's rounds share: one matrix product after the loop where it can be, else a sum.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

Tensor draw(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  return random_tensor(random, shape, f64, -0.6, 0.6);
}

using Cell = std::function<Tensor(const Tensor& h, const Tensor& x, const Tensor& w)>;

// A loss over all of a cell's states, by scan or written out.
Tensor by_scan(const Cell& cell, const Tensor& h0, const Tensor& xs, const Tensor& w, bool reverse) {
  const auto [h, ys] = scan(
      [&](const Tensor& h, const Tensor& x) {
        const Tensor next = cell(h, x, w);
        return std::pair(next, next * 2);
      },
      h0, xs, {.reverse = reverse});
  return sum(square(ys)) + sum(h);
}
Tensor written_out(const Cell& cell, const Tensor& h0, const Tensor& xs, const Tensor& w, bool reverse) {
  Tensor h = h0, loss = full({}, 0.0, f64);
  const std::int64_t n = xs.shape()[0];
  for (std::int64_t k = 0; k < n; ++k) {
    const std::int64_t t = reverse ? n - 1 - k : k;
    h = cell(h, squeeze(slice_axis(xs, 0, t, t + 1), Ints{0}), w);
    loss = loss + sum(square(h * 2));
  }
  return loss + sum(h);
}

int products_outside(std::string plan) {
  plan.resize(std::min(plan.size(), plan.find("body of")));
  int n = 0;
  for (std::size_t at = 0; (at = plan.find(": matmul", at)) != std::string::npos; ++at) ++n;
  return n;
}

struct Case {
  const char* name;
  Cell cell;
  Shape h, x, w;
  int products;  // outside the loops
};
const std::vector<Case> cases = {
    {"rows times a matrix",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return tanh(matmul(h, w) + x); },
     {2, 6},
     {2, 6},
     {6, 6},
     1},
    {"a matrix times columns",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return tanh(matmul(w, h) + x); },
     {6, 2},
     {6, 2},
     {6, 6},
     1},
    {"a vector times a matrix",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return tanh(matmul(h, w) + x); },
     {6},
     {6},
     {6, 6},
     1},
    {"a matrix times a vector",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return tanh(matmul(w, h * x)); },
     {6},
     {6},
     {6, 6},
     1},
    {"a matrix used twice",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       return tanh(matmul(tanh(matmul(h, w)), w) + matmul(x, w));
     },
     {2, 9},
     {2, 9},
     {9, 9},
     4},  // that of x before it
    {"a matrix and its transpose",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return tanh(matmul(matmul(h, w), transpose(w)) + x); },
     {1, 6},
     {1, 6},
     {6, 6},
     0},
    {"a matrix used elsewhere too",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return tanh(matmul(h, w) + x + sum(square(w))); },
     {2, 6},
     {2, 6},
     {6, 6},
     1},
    {"many rows, a small matrix: summed by rounds",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return tanh(matmul(h, w) + x); },
     {9, 3},
     {9, 3},
     {3, 3},
     0},
    {"batched products",
     [](const Tensor& h, const Tensor& x, const Tensor& w) { return tanh(matmul(h, w) + x); },
     {3, 1, 4},
     {3, 1, 4},
     {3, 4, 4},
     0},
    {"in a recomputed round",
     [](const Tensor& h, const Tensor& x, const Tensor& w) {
       return recompute([](const Tensor& a, const Tensor& b, const Tensor& c) { return tanh(matmul(a, c) + b); })(h, x,
                                                                                                                  w);
     },
     {2, 6},
     {2, 6},
     {6, 6},
     1},
};

}  // namespace

TEST_CASE("a loop's gradient for its constants, at both orders, is that of the loop written out", "[control][scan]") {
  for (const Case& c : cases) {
    INFO(c.name);
    for (const std::int64_t n : {0, 1, 5}) {
      INFO(n << " rounds");
      Shape all = c.x;
      all.insert(0, n);
      const Tensor h0 = draw(c.h, 1), xs = draw(all, 2), w = draw(c.w, 3), v = draw(c.w, 4);
      const bool reverse = n == 5;
      const auto loop = [&](const Tensor& t) { return by_scan(c.cell, h0, xs, t, reverse); };
      const auto plain = [&](const Tensor& t) { return written_out(c.cell, h0, xs, t, reverse); };
      const Tensor g = grad(loop)(w);
      CHECK_NEAR(g, grad(plain)(w), 1e-12);
      CHECK_NEAR(hvp(loop, w, v), hvp(plain, w, v), 1e-11);
      auto compiled = compile(grad(loop));
      CHECK_SAME(compiled(w), g);
      if (n == 5) CHECK(products_outside(compiled.dump("plan")) == c.products);
    }
  }
}
