// Transforms of functions: what each gives. That they nest in each other is in compiler/transforms_test.cpp.
#include <weft/autograd/custom_jvp.h>
#include <weft/autograd/linearize.h>
#include <weft/autograd/transforms.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

using Function = std::function<Tensor(const Tensor&)>;

struct Affine {
  Variable w, b;
  WEFT_MEMBERS(w, b)
  Tensor operator()(const Tensor& x) const { return tanh(matmul(x, w) + b); }
};

const Tensor c = tensor<double>({0.7, -1.1, 0.4}), v = tensor<double>({0.3, 0.9, -0.5});
Function loss_of(Function f) {
  return [f](const Tensor& x) { return sum(c * f(x)); };
}

}  // namespace

TEST_CASE("grad is with respect to the argument, not to the same tensor captured", "[transforms]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  CHECK_GRADIENT(grad([&](const Tensor& t) { return t * x; })(x), 3);
  const auto [a, b] = grad<0, 1>([](const Tensor& p, const Tensor& q) { return p * p * q; })(x, x);
  CHECK_GRADIENT(a, 18);
  CHECK_GRADIENT(b, 9);
  CHECK_GRADIENT((grad<1>([](const Tensor& p, const Tensor& q) { return p * p * q; })(x, x)), 9);
  CHECK_GRADIENT(grad([](const Tensor& t) { return t * t; })(3.0), 6);
  CHECK_GRADIENT(grad([&](const Tensor&) { return x * 2; })(x), 0);
}

TEST_CASE("a loss with aux, and structures", "[transforms]") {
  const NoLeaks guard;
  const auto f = [](const std::pair<Tensor, Tensor>& p) { return std::pair(sum(p.first * p.second), p.first + 1); };
  const std::pair x(tensor({1, 2}), tensor({3, 4}));
  const auto [value, g] = value_and_grad(f)(x);
  CHECK(value.first.item() == 11);
  CHECK_VALUES(value.second, 2, 3);
  CHECK_VALUES(g.first, 3, 4);
  CHECK_VALUES(g.second, 1, 2);
  const auto [only, aux] = grad(f)(x);
  CHECK_VALUES(only.second, 1, 2);
  CHECK_VALUES(aux, 2, 3);
}

TEST_CASE("a model among the arguments gives Gradients", "[transforms]") {
  Random random(21);
  Affine m{Variable(random_tensor(random, {3, 2}, f64)), Variable(random_tensor(random, {2}, f64))};
  const Tensor x = random_tensor(random, {4, 3}, f64);
  const NoLeaks guard;
  const auto loss = [](const Affine& f, const Tensor& t) { return mean(square(f(t))); };
  const Gradients g = grad(loss)(m, x);
  GradientTape tape;
  const Gradients expected = tape.gradient(loss(m, x), m);
  CHECK_SAME(g[m.w], expected[m.w]);
  CHECK_SAME(g[m.b], expected[m.b]);
  const Gradients h = hvp([&](const Affine& f) { return loss(f, x); }, m, g);
  CHECK(h[m.w].shape() == m.w.shape());
  const auto [y, pull] = vjp([&](const Affine& f) { return f(x); }, m);
  CHECK(pull(ones({4, 2}, f64))[m.b].shape() == Shape{2});
}

TEST_CASE("a pull-back is called many times", "[transforms]") {
  const NoLeaks guard;
  const auto [y, pull] = vjp([](const Tensor& x) { return std::tuple(x * x, x * 3); }, scalar(2));
  CHECK(std::get<0>(y).item() == 4);
  CHECK_GRADIENT(pull(std::tuple(scalar(1), scalar(1))), 7);
  CHECK_GRADIENT(pull(std::tuple(scalar(2), Tensor())), 8);
  CHECK_GRADIENT(pull(std::tuple(Tensor(), Tensor())), 0);
  CHECK_THROWS_AS(pull(scalar(1)), GradError);
}

TEST_CASE("a push-forward does not run the function again", "[transforms]") {
  const NoLeaks guard;
  int runs = 0;
  const auto f = [&](const Tensor& x) {
    ++runs;
    return x.at({0}) > 0 ? sin(x) * exp(x) : x;  // host code sees values
  };
  const Tensor x = tensor<double>({0.5, 1});
  const auto [y, push] = linearize(f, x);
  const Tensor d = tensor<double>({1, 2});
  CHECK_NEAR(push(d), jvp(f, x, d).second, 1e-15);
  CHECK_NEAR(push(d * 2), push(d) * 2, 1e-15);
  CHECK(runs == 2);
  CHECK_THROWS_AS(push(tensor<double>({1})), ShapeError);
  CHECK_THROWS_AS(push(tensor({1, 2})), DTypeError);
}

TEST_CASE("a forward rule of one's own is used, and transposed for gradients", "[transforms][1.6.31]") {
  const NoLeaks guard;
  int used = 0;
  const Function f = custom_jvp([](const Tensor& x) { return log1p(exp(x)); },
                                [&](const Tensor& x, const Tensor& dx) {
                                  ++used;
                                  return dx * sigmoid(x);
                                });
  const Tensor x = tensor<double>({-1, 0, 2});
  CHECK_NEAR(jvp(f, x, v).second, sigmoid(x) * v, 1e-15);
  CHECK(used == 1);
  CHECK_NEAR(grad(loss_of(f))(x), sigmoid(x) * c, 1e-15);
  CHECK(gradcheck(f, x).message == "");
  const Variable w(scalar(2));
  const auto reads =
      custom_jvp([&](const Tensor& t) { return t * w; }, [](const Tensor&, const Tensor& d) { return d; });
  CHECK_THROWS_AS(reads(scalar(1)), GradError);
}

TEST_CASE("grad_pass_through: the function forward, the identity backward", "[transforms]") {
  const NoLeaks guard;
  const Variable w(scalar(2));
  const auto f = grad_pass_through([&](const Tensor& x) { return round(x) * w; });
  const Tensor x = tensor({0.4f, 1.6f});
  CHECK_VALUES(f(x), 0, 4);
  CHECK_VALUES(grad([&](const Tensor& t) { return sum(f(t) * 3); })(x), 3, 3);
  CHECK_VALUES(jvp(f, x, tensor({1, 2})).second, 1, 2);
}

TEST_CASE("what has no gradient is refused", "[transforms]") {
  const NoLeaks guard;
  const Tensor x = tensor({1, 2});
  CHECK_THROWS_AS(grad([](const Tensor& t) { return t * t; })(x), GradError);
  CHECK_THROWS_AS(grad([](const Tensor& t) { return argmax(t, 0); })(x), DTypeError);
  CHECK_THROWS_AS(grad([](const Tensor& t) { return sum(t); })(tensor<std::int32_t>({1, 2})), DTypeError);
  CHECK_THROWS_AS(jvp([](const Tensor& t) { return t; }, x, tensor({1})), ShapeError);
  struct Mine {};
  CHECK_THROWS_AS(grad([](const Tensor&) -> Tensor { throw Mine(); })(x), Mine);
  CHECK(active_recorders().empty());
  CHECK_GRADIENT(grad([](const Tensor& t) { return sum(t * t); })(x), 2, 4);
}
