// Conventions at kinks and singularities in one table, forward and gradient, eager and compiled, so that a change is
// seen. kinks_test.cpp has the rest; cross-entropies: tests/nn.
#include "kink.h"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<Kink> kinks() {
  const double e = std::exp(1), half_pi = std::acos(0), log4 = std::log(4.0), log2 = std::log(2.0);
  return {
      // ties
      {"maximum at a tie: all to the first",
       OF_XY(maximum(x, y)),
       inputs(list({2, 1, 3}), list({2, 5, 0})),
       {2, 5, 3},
       {{1, 0, 1}, {0, 1, 0}}},
      {"minimum at a tie: all to the first",
       OF_XY(minimum(x, y)),
       inputs(list({2, 1, 3}), list({2, 5, 0})),
       {2, 1, 0},
       {{1, 1, 0}, {0, 0, 1}}},
      {"max of all at ties: evenly", OF_X(max(x)), inputs(list({1, 4, 4, 4, 4})), {4}, {{0, .25, .25, .25, .25}}},
      {"max over an axis at ties: evenly", OF_X(max(x, 1)), inputs(rows(2, {7, 7, 3, 1})), {7, 3}, {{.5, .5, 1, 0}}},
      {"min over an axis at ties: evenly", OF_X(min(x, 0)), inputs(rows(2, {0, 2, 0, 5})), {0, 2}, {{.5, 1, .5, 0}}},
      // piecewise
      {"relu at 0", OF_X(relu(x)), inputs(list({-1, 0, 1})), {0, 0, 1}, {{0, 0, 1}}},
      {"abs at 0", OF_X(abs(x)), inputs(list({-1, 0, 1})), {1, 0, 1}, {{-1, 0, 1}}},
      {"an l1 distance of 0", OF_XY(mean(abs(x - y))), inputs(list({1, 2}), list({1, 3})), {.5}, {{0, -.5}, {0, .5}}},
      {"sign", OF_X(sign(x)), inputs(list({-2, 0, 2})), {-1, 0, 1}, {{0, 0, 0}}},
      {"clip at its bounds",
       OF_X(clip(x, -1, 1)),
       inputs(list({-2, -1, 0, 1, 2})),
       {-1, -1, 0, 1, 1},
       {{0, 1, 1, 1, 0}}},
      {"floor has zeros, not none", OF_X(floor(x)), inputs(list({.5, 1})), {0, 1}, {{0, 0}}},
      {"ceil has zeros, not none", OF_X(ceil(x)), inputs(list({.5, 1})), {1, 1}, {{0, 0}}},
      {"round has zeros, not none", OF_X(round(x)), inputs(list({.5, 1.5})), {0, 2}, {{0, 0}}},
      // roots and powers
      {"sqrt at 0", OF_X(sqrt(x)), inputs(list({0, 4})), {0, 2}, {{inf, .25}}},
      {"rsqrt at 0", OF_X(rsqrt(x)), inputs(list({0, 4})), {inf, .5}, {{-inf, -.0625}}},
      {"reciprocal at 0", OF_X(reciprocal(x)), inputs(list({0, 2})), {inf, .5}, {{-inf, -.25}}},
      {"the norm of 0", OF_X(norm(x)), inputs(list({0, 0, 0})), {0}, {{0, 0, 0}}},
      {"norms of rows, one 0", OF_X(norm(x, 2, 1)), inputs(rows(2, {0, 0, 3, 4})), {0, 5}, {{0, 0, .6, .8}}},
      {"pow: the exponent's gradient takes log of positive bases only",
       OF_XY(pow(x, y)),
       inputs(list({0, 0, 0, -2, 4}), list({2, 0, .5, 3, .5})),
       {0, 1, 0, -8, 2},
       {{0, 0, inf, 12, .25}, {0, 0, 0, 0, 2 * log4}}},
      // products
      {"prod with one 0 is exact", OF_X(prod(x)), inputs(list({2, 0, 3})), {0}, {{0, 6, 0}}},
      {"prod with two 0s", OF_X(prod(x)), inputs(list({0, 5, 0})), {0}, {{0, 0, 0}}},
      {"prod down columns", OF_X(prod(x, 0)), inputs(rows(3, {2, 1, 3, 0, 4, 7})), {24, 0}, {{12, 0, 8, 7, 6, 0}}},
      {"prod of nothing", OF_X(prod(x)), inputs(zeros({0}, f64)), {1}, {{}}},
      // where
      {"where does not hide the NaN of the branch not taken",
       OF_X(where(x > 0, log(x), 0)),
       inputs(list({0, 1})),
       {0, 0},
       {{nan, 1}}},
      {"where twice does", OF_X(where(x > 0, log(where(x > 0, x, 1)), 0)), inputs(list({0, 1})), {0, 0}, {{0, 1}}},
      // far out
      {"sigmoid far out", OF_X(sigmoid(x)), inputs(list({-1000, 0, 1000})), {0, .5, 1}, {{0, .25, 0}}},
      {"softplus far out", OF_X(softplus(x)), inputs(list({-1000, 0, 1000})), {0, log2, 1000}, {{0, .5, 1}}},
      {"log of sigmoid far out", OF_X(-softplus(-x)), inputs(list({-1000, 0, 1000})), {-1000, -log2, 0}, {{1, .5, 0}}},
      {"tanh far out", OF_X(tanh(x)), inputs(list({-1000, 0, 1000})), {-1, 0, 1}, {{0, 1, 0}}},
      {"gelu far out", OF_X(gelu(x)), inputs(list({-1000, 0, 1000})), {0, 0, 1000}, {{0, .5, 1}}},
      {"silu far out", OF_X(silu(x)), inputs(list({-1000, 0, 1000})), {0, 0, 1000}, {{0, .5, 1}}},
      {"log1p at -1", OF_X(log1p(x)), inputs(list({-1, 0})), {-inf, 0}, {{inf, 1}}},
      {"log at 0", OF_X(log(x)), inputs(list({0, 1})), {-inf, 0}, {{inf, 1}}},
      {"expm1 at 0", OF_X(expm1(x)), inputs(list({0, 1})), {0, e - 1}, {{1, e}}},
      {"logsumexp of large numbers", OF_X(logsumexp(x)), inputs(list({1000, 1000})), {1000 + log2}, {{.5, .5}}},
      {"logsumexp where all are -inf", OF_X(logsumexp(x)), inputs(list({-inf, -inf})), {-inf}, {{nan, nan}}},
      {"logsumexp where one is -inf", OF_X(logsumexp(x)), inputs(list({-inf, 3})), {3}, {{0, 1}}},
      {"softmax with inf", OF_X(softmax(x)), inputs(list({inf, 0})), {nan, nan}, {{nan, nan}}},
      {"softmax with -inf", OF_X(softmax(x) * list({3, 5})), inputs(list({-inf, 0})), {0, 5}, {{0, 0}}},
      {"a logits cross-entropy, sure and wrong",
       OF_XY(softplus(x) - x * y),
       inputs(list({-1000, 1000}), list({1, 0})),
       {1000, 1000},
       {{-1, 1}, {1000, -1000}}},
      // angles, moments
      {"atan2 at the origin and on the axes",
       OF_XY(atan2(x, y)),
       inputs(list({0, 1}), list({0, 0})),
       {0, half_pi},
       {{0, 0}, {0, -1}}},
      {"var of one element", OF_X(var(x)), inputs(list({5})), {0}, {{0}}},
      {"var of equal elements", OF_X(var(x)), inputs(list({5, 5})), {0}, {{0, 0}}},
      // choice and nothing
      {"an index used twice",
       OF_X(gather(x, tensor<std::int64_t>({0, 0, 1}))),
       inputs(list({7, 9})),
       {7, 7, 9},
       {{2, 1}}},
      {"the sum of nothing", OF_X(sum(x)), inputs(zeros({0}, f64)), {0}, {{}}},
      {"the mean of nothing", OF_X(mean(x)), inputs(zeros({2, 0}, f64)), {nan}, {{}}},
      {"a product over nothing",
       OF_XY(matmul(x, y)),
       inputs(zeros({2, 0}, f64), zeros({0, 2}, f64)),
       {0, 0, 0, 0},
       {{}, {}}},
      {"a product of no rows",
       OF_XY(matmul(x, y)),
       inputs(zeros({0, 2}, f64), ones({2, 3}, f64)),
       {},
       {{}, {0, 0, 0, 0, 0, 0}}},
  };
}

}  // namespace

TEST_CASE("Values and gradients at kinks and singularities are those of the table, eager and compiled",
          "[kinks][1.8][bad-input.10][bad-input.18]") {
  for (const Kink& k : kinks()) check(k);
}

TEST_CASE("max and min of nothing are errors, eager and compiled", "[kinks][1.8]") {
  const NoLeaks guard;
  CHECK_THROWS_AS(max(zeros({0})), ArgumentError);
  CHECK_THROWS_AS(min(zeros({2, 0}), 1), ArgumentError);
  auto f = compile([](const Tensor& x) { return max(x); });
  CHECK_THROWS_AS(f(zeros({0})), ArgumentError);
  CHECK(f(ones({1})).item() == 1);
}

TEST_CASE("prod's second gradient is exact at zeros", "[kinks][1.8]") {
  CHECK(gradcheck([](const Tensor& t) { return prod(t); }, tensor<double>({0, 5, 0, 2})).message == "");
}
