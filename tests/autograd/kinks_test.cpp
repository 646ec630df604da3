// Conventions at kinks and singularities (contract/gradient-tape.md, 1.8): each pinned, so that a change is seen.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
template <class F> auto gradients(F f, const Tensor& x, const Tensor& y) {
  GradientTape tape;
  tape.watch(x, y);
  const auto [dx, dy] = tape.gradient(f(x, y), x, y);
  return std::pair(dx, dy);
}
}  // namespace

TEST_CASE("at a tie maximum and minimum give the whole gradient to the first", "[kinks]") {
  const NoLeaks guard;
  const auto [a, b] = gradients([](auto& x, auto& y) { return maximum(x, y); }, tensor({2, 1, 3}), tensor({2, 5, 0}));
  CHECK_GRADIENT(a, 1, 0, 1);
  CHECK_GRADIENT(b, 0, 1, 0);
  const auto [c, d] = gradients([](auto& x, auto& y) { return minimum(x, y); }, tensor({2, 1, 3}), tensor({2, 5, 0}));
  CHECK_GRADIENT(c, 1, 1, 0);
  CHECK_GRADIENT(d, 0, 0, 1);
}

TEST_CASE("max and min over axes split the gradient evenly among equals", "[kinks]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](auto& x) { return max(x); }, tensor({1, 4, 4, 4, 4})), 0, 0.25, 0.25, 0.25, 0.25);
  CHECK_GRADIENT(gradient_of([](auto& x) { return min(x, 1); }, tensor({{0, 0}, {3, 1}})), 0.5, 0.5, 0, 1);
}

TEST_CASE("abs, relu and sign have gradient 0 at 0", "[kinks]") {
  const NoLeaks guard;
  const Tensor x = tensor({-1, 0, 1});
  CHECK_GRADIENT(gradient_of([](auto& t) { return abs(t); }, x), -1, 0, 1);
  CHECK_GRADIENT(gradient_of([](auto& t) { return relu(t); }, x), 0, 0, 1);
  CHECK_GRADIENT(gradient_of([](auto& t) { return sign(t); }, x), 0, 0, 0);
}

TEST_CASE("clip's gradient is 1 at the bounds", "[kinks]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](auto& t) { return clip(t, -1, 1); }, tensor({-2, -1, 0, 1, 2})), 0, 1, 1, 1, 0);
}

TEST_CASE("floor, ceil and round have gradients of 0, not none", "[kinks]") {
  const NoLeaks guard;
  const Tensor x = tensor({0.5, 1});
  CHECK_GRADIENT(gradient_of([](auto& t) { return floor(t) + ceil(t) + round(t); }, x), 0, 0);
}

TEST_CASE("sqrt and rsqrt have infinite gradients at 0", "[kinks]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](auto& t) { return sqrt(t); }, scalar(0)), INFINITY);
  CHECK_GRADIENT(gradient_of([](auto& t) { return rsqrt(t); }, scalar(0)), -INFINITY);
}

TEST_CASE("the norm of 0 has gradient 0", "[kinks][bad-input.18]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](auto& t) { return norm(t); }, zeros({3})), 0, 0, 0);
  CHECK_SAME(gradient_of([](auto& t) { return norm(t, 1); }, tensor({{0, 0}, {3, 4}})), tensor({{0, 0}, {0.6f, 0.8f}}));
}

TEST_CASE("pow: 0 and negative bases; the exponent's gradient uses log only of positive ones", "[kinks]") {
  const NoLeaks guard;
  const auto [dx, dy] = gradients([](auto& x, auto& y) { return pow(x, y); }, tensor<double>({0, 0, 0, -2, 4}), tensor<double>({2, 0, 0.5, 3, 0.5}));
  CHECK_GRADIENT(dx, 0, 0, INFINITY, 12, 0.25);
  CHECK_NEAR(dy, tensor<double>({0, 0, 0, 0, 2 * std::log(4.0)}), 1e-15);
}

TEST_CASE("prod's gradient is exact where factors are 0, at orders 1 and 2", "[kinks]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](auto& t) { return prod(t); }, tensor({2, 0, 3})), 0, 6, 0);
  CHECK_GRADIENT(gradient_of([](auto& t) { return prod(t); }, tensor({0, 5, 0})), 0, 0, 0);
  CHECK_GRADIENT(gradient_of([](auto& t) { return prod(t, 0); }, tensor({{2, 1}, {3, 0}, {4, 7}})), 12, 0, 8, 7, 6, 0);
  CHECK(gradcheck([](const Tensor& t) { return prod(t); }, tensor<double>({0, 5, 0, 2})).message == "");
  CHECK(gradient_of([](auto& t) { return prod(t); }, zeros({0})).size() == 0);
}

TEST_CASE("where hides a NaN of the branch not taken only from the value: the double-where idiom helps", "[kinks]") {
  const NoLeaks guard;
  const Tensor x = tensor({0, 1});
  const Tensor single = gradient_of([](auto& t) { return where(t > 0, log(t), 0); }, x);
  CHECK(std::isnan(single.to_vector<double>()[0]));
  CHECK_GRADIENT(gradient_of([](auto& t) { return where(t > 0, log(where(t > 0, t, 1)), 0); }, x), 0, 1);
}

TEST_CASE("sigmoid, softplus, log1p and expm1 are stable far out", "[kinks]") {
  const NoLeaks guard;
  const Tensor far = tensor({-1000, 1000});
  CHECK_GRADIENT(gradient_of([](auto& t) { return sigmoid(t); }, far), 0, 0);
  CHECK_GRADIENT(gradient_of([](auto& t) { return softplus(t); }, far), 0, 1);
  CHECK_GRADIENT(gradient_of([](auto& t) { return -softplus(-t); }, far), 1, 0);
  CHECK_GRADIENT(gradient_of([](auto& t) { return softplus(t); }, scalar(0)), 0.5);
  CHECK_GRADIENT(gradient_of([](auto& t) { return log1p(t); }, scalar(-1)), INFINITY);
  CHECK_GRADIENT(gradient_of([](auto& t) { return expm1(t); }, scalar(0)), 1);
  CHECK_GRADIENT(gradient_of([](auto& t) { return tanh(t); }, far), 0, 0);
  for (const auto& g : {gradient_of([](auto& t) { return gelu(t); }, far), gradient_of([](auto& t) { return silu(t); }, far)}) CHECK_GRADIENT(g, 0, 1);
}

TEST_CASE("logsumexp's gradient is the softmax, also of large numbers", "[kinks]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](auto& t) { return logsumexp(t); }, tensor({1000, 1000})), 0.5, 0.5);
  const Tensor none = gradient_of([](auto& t) { return logsumexp(t); }, full({2}, -INFINITY));
  CHECK(std::isnan(none.to_vector<double>()[0]));
}

TEST_CASE("var of one element has gradient 0; atan2 at the origin has none that is a number", "[kinks]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](auto& t) { return var(t); }, tensor({5.0f})), 0);
  const auto [dy, dx] = gradients([](auto& y, auto& x) { return atan2(y, x); }, scalar(0), scalar(0));
  CHECK(std::isnan(dy.item()));
  CHECK(std::isnan(dx.item()));
}

TEST_CASE("sum and mean of nothing have empty gradients; of max there is no value", "[kinks]") {
  const NoLeaks guard;
  CHECK(gradient_of([](auto& t) { return sum(t); }, zeros({0})).shape() == Shape{0});
  CHECK(gradient_of([](auto& t) { return mean(t); }, zeros({2, 0})).shape() == Shape{2, 0});
  CHECK_THROWS_AS(max(zeros({0})), ArgumentError);
}

TEST_CASE("matmul over nothing is zeros, and so are its gradients", "[kinks][bad-input.10]") {
  const NoLeaks guard;
  const Tensor a = zeros({2, 0}), b = zeros({0, 3});
  CHECK_VALUES(matmul(a, b), 0, 0, 0, 0, 0, 0);
  const auto [da, db] = gradients([](auto& x, auto& y) { return matmul(x, y); }, a, b);
  CHECK(da.shape() == Shape{2, 0});
  CHECK(db.shape() == Shape{0, 3});
  const auto [dc, dd] = gradients([](auto& x, auto& y) { return matmul(x, y); }, zeros({0, 2}), ones({2, 3}));
  CHECK(dc.shape() == Shape{0, 2});
  CHECK_GRADIENT(dd, 0, 0, 0, 0, 0, 0);
}
