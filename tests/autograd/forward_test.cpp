// ForwardAccumulator: the cases of the contract's 1.6, and that forward rules agree with gradient rules and
// differences.
#include <weft/autograd/forward.h>

#include "../op_samples.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

using Function = std::function<Tensor(const Tensor&)>;

Tensor real(double x) { return full({}, x, f64); }

/// d^order f / dx^order along 1, by accumulators in one another.
Tensor forward_derivative(const Function& f, const Tensor& x, int order) {
  if (order == 0) return f(x);
  ForwardAccumulator acc(x, ones(x.shape(), x.dtype()));
  const Tensor y = forward_derivative(f, x, order - 1);
  return acc.jvp(y, Unconnected::zero);
}

/// The same by tapes in one another; for f: elementwise.
Tensor reverse_derivative(const Function& f, const Tensor& x, int order) {
  if (order == 0) return f(x);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = reverse_derivative(f, x, order - 1);
  return tape.gradient(y, x, GradientOptions{.unconnected = Unconnected::zero});
}

Tensor central_difference(const Function& f, const Tensor& x) { return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5; }

void check_orders(const Function& f, const Tensor& x, int orders) {
  for (int order = 1; order <= orders; ++order) {
    INFO("order " << order);
    const Tensor forward = forward_derivative(f, x, order);
    CHECK_NEAR(forward, central_difference([&](const Tensor& t) { return forward_derivative(f, t, order - 1); }, x),
               1e-7);
    CHECK_NEAR(forward, reverse_derivative(f, x, order), 1e-12);
  }
}

struct DenseNet {  // dense, relu, batch norm, dense
  Variable w1, b1, scale, w2;
  WEFT_MEMBERS(w1, b1, scale, w2)
  Tensor operator()(const Tensor& x) const {
    const Tensor h = relu(matmul(x, w1) + b1);
    const Tensor n = (h - mean(h, 0, true)) * rsqrt(var(h, 0, true) + 0.1) * scale;
    return matmul(n, w2);
  }
};
DenseNet dense_net(Random& random) {
  return {Variable(random_tensor(random, {3, 4}, f64, -1, 1)), Variable(random_tensor(random, {4}, f64, 0.5, 1)),
          Variable(random_tensor(random, {4}, f64)), Variable(random_tensor(random, {4, 2}, f64))};
}

}  // namespace

TEST_CASE("a forward rule says what two gradient rules say, for every op", "[forward]") {
  Random random(11);
  for (const SampledOp& sampled : sampled_ops()) {
    const Op& op = *sampled.op;
    if (!op.differentiable) continue;
    Op plain = op;  // with no more than its gradient rule
    plain.kind = OpKind::kernel;
    plain.linear = 0;
    plain.jvp = nullptr;
    for (const OpSample& s : sampled.samples(f64, random)) {
      INFO(op.name << " " << s.attrs.text() << " of " << s.in[0].type().text());
      const std::vector<Tensor> out = run(op, s);
      if (!is_floating(out[0].dtype())) continue;
      std::vector<Tensor> all;
      for (const Tensor& t : s.in)
        all.push_back(is_floating(t.dtype()) ? random_tensor(random, t.shape(), t.dtype()) : Tensor());
      for (std::size_t only = 0; only <= s.in.size(); ++only) {  // each input's alone, then all at once
        std::vector<Tensor> tangents = all;
        for (std::size_t i = 0; i < tangents.size(); ++i)
          if (only < tangents.size() && i != only) tangents[i] = {};
        if (only < tangents.size() && !tangents[only].defined()) continue;
        const std::vector<Tensor> by_rule = detail::push_forward(op, s.attrs, s.in, out, tangents),
                                  by_two = detail::push_forward(plain, s.attrs, s.in, out, tangents);
        int defined = 0;
        for (std::size_t k = 0; k < out.size(); ++k) {  // slogdet's sign has none
          if (by_rule[k].defined() && ++defined)
            CHECK_NEAR(by_rule[k], by_two[k].defined() ? by_two[k] : zeros_like(by_rule[k]), 1e-12);
          else
            CHECK_FALSE(by_two[k].defined());
        }
        CHECK(defined > 0);
      }
    }
  }
}

TEST_CASE("the tangents of a sum and a product", "[forward][1.6.1]") {
  const NoLeaks guard;
  const Tensor x = scalar(4), y = scalar(2);
  const ForwardAccumulator acc(std::tuple(x, y), std::tuple(scalar(1), scalar(5)));
  CHECK_GRADIENT(acc.jvp(x + y), 6);
  CHECK_GRADIENT(acc.jvp(x * y), 22);
}

TEST_CASE("a primal given twice is an error; watching one again adds", "[forward][1.6.4]") {
  const NoLeaks guard;
  const Tensor x = scalar(-2);
  CHECK(message_of<ArgumentError>([&] {
          ForwardAccumulator(std::tuple(x, x), std::tuple(scalar(1), scalar(2)));
        }).find("multiple times") != std::string::npos);
  CHECK(active_recorders().empty());
  const Variable v(x);
  CHECK_THROWS_AS((ForwardAccumulator(std::tie(v, v), std::tuple(scalar(1), scalar(2)))), ArgumentError);
  ForwardAccumulator acc(x, scalar(2));
  CHECK_GRADIENT(acc.jvp(x), 2);
  CHECK_GRADIENT(acc.jvp(x * x), -8);
  acc.watch(x, scalar(2));
  CHECK_GRADIENT(acc.jvp(x), 4);
  CHECK_GRADIENT(acc.jvp(x * x), -16);
}

TEST_CASE("an accumulator stops and goes on, and can't be started twice", "[forward][1.6.5][1.6.24]") {
  const NoLeaks guard;
  const Tensor x = scalar(-2);
  ForwardAccumulator acc(x, scalar(1.5));
  const Tensor inside = x * x;
  CHECK(message_of<GradError>([&] { acc.start(); }).find("already recording") != std::string::npos);
  acc.stop();
  CHECK_THROWS_AS(acc.stop(), GradError);
  const Tensor outside = x * x;
  CHECK_FALSE(acc.jvp(outside).defined());
  CHECK_GRADIENT(acc.jvp(inside), -6);
  acc.start();
  CHECK_GRADIENT(acc.jvp(inside * x), 18);
  CHECK_FALSE(acc.jvp(outside).defined());
}

TEST_CASE("tangents die with their primals", "[forward][1.6.6][1.6.22]") {
  const NoLeaks guard;
  const Tensor x = ones({1000}, f64);
  ForwardAccumulator acc(x, ones({1000}, f64));
  Tensor y = x;
  const std::int64_t before = memory_stats().live_bytes;
  std::int64_t most = 0;
  std::size_t entries = 0;
  for (int i = 0; i < 5000; ++i) {
    y = sin(y) + y * 0.5;  // four tensors a turn, and their tangents
    most = std::max(most, memory_stats().live_bytes - before);
    entries = std::max(entries, acc.size());
  }
  CHECK(most < 2'000'000);  // 320 MB passed by
  CHECK(entries < 1000);
  CHECK(acc.jvp(y).defined());
}

TEST_CASE("the derivative of sin", "[forward][1.6.7]") {
  const NoLeaks guard;
  const Tensor x = real(0.1);
  const ForwardAccumulator acc(x, real(0.2));
  CHECK_NEAR(acc.jvp(sin(x)), real(0.2 * std::cos(0.1)), 1e-15);
}

TEST_CASE("forward, reverse and differences agree to order 3", "[forward][1.6.8][1.6.12]") {
  const NoLeaks guard;
  const auto elu = [](const Tensor& x) { return where(x > 0, x, expm1(minimum(x, 0))); };
  for (const double at : {-0.5, 0.5}) {
    check_orders(elu, real(at), 3);
    check_orders([](const Tensor& x) { return silu(x); }, real(at), 3);
    check_orders([](const Tensor& x) { return exp(sin(x) * x) / (x * x + 1); }, real(at), 3);
    check_orders([](const Tensor& x) { return softplus(x * tanh(x)); }, real(at), 3);
  }
}

TEST_CASE("powers to order 3, forward alone", "[forward][1.6.16]") {
  const NoLeaks guard;
  double expected = std::pow(1.1, 3.5);
  for (int order = 0; order <= 3; ++order) {
    CHECK_NEAR(forward_derivative([](const Tensor& x) { return pow(x, 3.5); }, real(1.1), order), real(expected),
               1e-13);
    expected = std::pow(1.1, 3.5 - order - 1);
    for (int k = 0; k <= order; ++k) expected *= 3.5 - k;
  }
}

TEST_CASE("a custom gradient gives the forward rule too, to order 3", "[forward][1.6.9]") {
  const NoLeaks guard;
  const Function f = custom_gradient([](const Tensor& x) {
    const Tensor s = sigmoid(x);
    return std::pair(x * s, [x, s](const Tensor& dy) { return dy * (s + x * s * (1 - s)); });
  });
  check_orders(f, real(0.7), 3);
  CHECK_NEAR(forward_derivative(f, real(0.7), 3),
             forward_derivative([](const Tensor& x) { return silu(x); }, real(0.7), 3), 1e-12);
}

TEST_CASE("what a custom gradient throws passes through the forward rule", "[forward][1.6.11]") {
  const NoLeaks guard;
  struct Mine {};
  const auto f =
      custom_gradient([](const Tensor& x) { return std::pair(x * 2, [](const Tensor&) -> Tensor { throw Mine(); }); });
  const Tensor x = scalar(1);
  {
    const ForwardAccumulator acc(x, scalar(1));
    CHECK_THROWS_AS(f(x), Mine);
    CHECK(active_recorders().size() == 1);
    CHECK_GRADIENT(acc.jvp(x * 3), 3);
  }
  CHECK(active_recorders().empty());
}

TEST_CASE("layers: the derivative along all variables, to order 2", "[forward][1.6.13]") {
  Random random(12);
  const DenseNet f = dense_net(random);
  const Tensor x = random_tensor(random, {5, 3}, f64);
  CHECK(gradcheck([](const DenseNet& m, const Tensor& t) { return m(t); }, std::tuple(f, x)).message == "");
}

TEST_CASE("a Hessian times a vector of variables, forward over reverse and reverse over reverse",
          "[forward][1.6.14][1.6.22]") {
  Random random(13);
  const DenseNet f = dense_net(random);
  const Tensor x = random_tensor(random, {5, 3}, f64);
  const NoLeaks guard;
  std::vector<Tensor> v;
  each_leaf(f, [&](const Variable& p) { v.push_back(ones(p.shape(), f64)); });
  const auto loss = [&] { return sum(square(f(x))); };
  for (int again = 0; again < 3; ++again) {
    Gradients forward;
    {
      const ForwardAccumulator acc(f, v);
      GradientTape tape;
      const Gradients g = tape.gradient(loss(), f);
      forward = acc.jvp(g);
    }
    GradientTape outer;
    Gradients g;
    {
      GradientTape inner;
      g = inner.gradient(loss(), f);
    }
    std::vector<Tensor> targets;
    for (const auto& item : g) targets.push_back(item.gradient);
    const Gradients reverse = outer.gradient(targets, f, GradientOptions{.output_gradients = v});
    REQUIRE(forward.size() == 4);
    for (const auto& item : forward) CHECK_NEAR(item.gradient, reverse[Variable::handle(item.variable)], 1e-9);
  }
}

TEST_CASE("accumulators in one another: the outer sees the inner's tangents, not the inner the outer's",
          "[forward][1.6.17]") {
  const NoLeaks guard;
  const Tensor x = real(0.3);
  ForwardAccumulator outer(x, real(1));
  ForwardAccumulator inner(x, real(1));
  const Tensor y = sin(x);
  const Tensor by_outer = outer.jvp(y), by_inner = inner.jvp(y);
  CHECK_NEAR(by_outer, real(std::cos(0.3)), 1e-15);
  CHECK_NEAR(by_inner, real(std::cos(0.3)), 1e-15);
  CHECK_NEAR(outer.jvp(by_inner), real(-std::sin(0.3)), 1e-15);
  CHECK_FALSE(inner.jvp(by_outer).defined());
}

TEST_CASE("assigning a variable under an accumulator", "[forward][1.6.26]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  const Tensor x = scalar(3);
  const ForwardAccumulator acc(x, scalar(1));
  v.assign_sub(x);
  CHECK(v.value().item() == -2);
  CHECK_FALSE(acc.jvp(v).defined());  // state stops gradients
  CHECK_GRADIENT(acc.jvp(v * x), -2);
}

TEST_CASE("variables are primals: each value that is read has the tangent", "[forward][1.6.27][1.6.32]") {
  const NoLeaks guard;
  Variable v(scalar(2)), other(scalar(3));
  ForwardAccumulator acc(v, scalar(11));
  CHECK_GRADIENT(acc.jvp(v), 11);
  CHECK_GRADIENT(acc.jvp(v * 1), 11);
  CHECK_GRADIENT(acc.jvp(v * 2), 22);
  CHECK_GRADIENT(acc.jvp(v * other), 33);
  CHECK_FALSE(acc.jvp(other).defined());
  v.assign(5);
  CHECK_GRADIENT(acc.jvp(v * v), 110);
}

TEST_CASE("an inner tape does not record how tangents are computed", "[forward][1.6.28]") {
  const NoLeaks guard;
  const Tensor x = real(0.3);
  const auto recorded = [&](bool forward) {
    std::optional<ForwardAccumulator> acc;
    if (forward) acc.emplace(x, real(1));
    GradientTape tape;
    tape.watch(x);
    const Tensor y = exp(sin(x) * x);
    return tape.size();
  };
  CHECK(recorded(true) == recorded(false));
}

TEST_CASE("the gradient of a tangent: reverse over forward", "[forward][1.6.29]") {
  const NoLeaks guard;
  const Tensor c = real(1);
  for (bool tape_first : {true, false}) {
    std::optional<GradientTape> tape;
    if (tape_first) tape.emplace().watch(c);
    const ForwardAccumulator acc(c, real(0.1));
    const Tensor d = acc.jvp(cos(c));
    if (!tape_first) continue;  // a tape begun after the accumulator sees none of it
    CHECK_NEAR(tape->gradient(d, c), real(-0.1 * std::cos(1)), 1e-15);
  }
}

TEST_CASE("what depends on no primal has no tangent, or zeros", "[forward][1.6.33][1.6.36]") {
  const NoLeaks guard;
  const Tensor x = tensor({1, 2}), y = tensor({3, 4});
  const ForwardAccumulator acc(x, tensor({1, 1}));
  CHECK_FALSE(acc.jvp(y * y).defined());
  CHECK_VALUES(acc.jvp(y * y, Unconnected::zero), 0, 0);
  CHECK_FALSE(acc.jvp(stop_gradient(x)).defined());
  CHECK_FALSE(acc.jvp(argmax(x, 0)).defined());
  CHECK_FALSE(acc.jvp(cast(cast(x, i32), f32)).defined());
  const auto [a, b] = acc.jvp(std::pair(x * 2, y), Unconnected::zero);
  CHECK_VALUES(a, 2, 2);
  CHECK_VALUES(b, 0, 0);
}

TEST_CASE("host control flow: the tangents of what ran", "[forward][1.6.37][1.6.38][1.6.39][1.6.40]") {
  const NoLeaks guard;
  const auto cond = [](const Tensor& x, const Tensor& y) { return y.item() > 0 ? x * x : x * 3; };
  const auto loop = [](Tensor x, int n) {
    for (int i = 0; i < n; ++i) x = x * x;
    return x;
  };
  const Tensor x = scalar(5);
  ForwardAccumulator acc(x, scalar(1));
  const Tensor d = acc.jvp(cond(x, scalar(1))), three = acc.jvp(cond(x, scalar(-1)));
  CHECK_GRADIENT(d, 10);
  CHECK_GRADIENT(three, 3);
  CHECK_FALSE(acc.jvp(three).defined());
  CHECK_GRADIENT(acc.jvp(loop(x, 1)), 10);
  CHECK_GRADIENT(forward_derivative([&](const Tensor& t) { return cond(t, scalar(-1)); }, x, 2), 0);
}

TEST_CASE("a Hessian row by row, of a form and of a layer's variables", "[forward][1.6.23][1.6.41][1.6.42]") {
  const NoLeaks guard;
  Random random(14);
  const Tensor m = random_tensor(random, {3, 3}, f64), x = random_tensor(random, {3}, f64);
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < 3; ++i) {
    const ForwardAccumulator acc(x, slice_axis(squeeze(slice_axis(eye(3, f64), 0, i, i + 1)), 0, 0, 3));
    rows.push_back(acc.jvp(gradient_of([&](const Tensor& t) { return sum(t * matmul(m, t)); }, x)));
  }
  CHECK_NEAR(stack(rows), m + transpose(m), 1e-13);
  Variable kernel(random_tensor(random, {3, 1}, f64)), bias(random_tensor(random, {1}, f64));
  const Tensor data = random_tensor(random, {4, 3}, f64);
  std::vector<double> hessian;
  for (std::int64_t i = 0; i < 4; ++i) {
    std::vector<double> k(3), b(1);
    (i < 3 ? k[static_cast<std::size_t>(i)] : b[0]) = 1;
    const ForwardAccumulator acc(std::tie(kernel, bias), std::tuple(from_vector(k, {3, 1}), from_vector(b, {1})));
    GradientTape tape;
    const auto g = tape.gradient(mean(square(sigmoid(matmul(data, kernel) + bias))), kernel, bias);
    const auto [hk, hb] = acc.jvp(g);
    CHECK(hk.shape() == Shape{3, 1});
    for (const Tensor& t : {hk, hb})
      for (const double e : t.to_vector<double>()) hessian.push_back(e);
  }
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(std::abs(hessian[4 * i + j] - hessian[4 * j + i]) < 1e-15);
}

TEST_CASE("tangents of another type or number are refused", "[forward]") {
  const NoLeaks guard;
  const Tensor x = zeros({2}), n = zeros({2}, i32);
  CHECK(message_of<ShapeError>([&] { ForwardAccumulator(x, zeros({3})); }) ==
        "ForwardAccumulator: the tangent is f32[3], its primal f32[2]\n  at HERE");
  CHECK_THROWS_AS(ForwardAccumulator(x, zeros({2}, f64)), DTypeError);
  CHECK_THROWS_AS(ForwardAccumulator(n, n), DTypeError);
  CHECK_THROWS_AS(ForwardAccumulator(x, std::vector<Tensor>{x, x}), ArgumentError);
  CHECK_THROWS_AS(ForwardAccumulator(Tensor(), x), ArgumentError);
  const ForwardAccumulator acc(std::tuple(x, n), std::tuple(zeros({2}), Tensor()));
  CHECK(acc.jvp(x * 2).defined());
}

namespace {
struct NoRule : Elementwise<NoRule> {
  static constexpr auto name = "no_rule";
  WEFT_EVAL(V x) { return x * x; }
};
}  // namespace
WEFT_DEFINE_OP(NoRule);

TEST_CASE("an op without any rule says so", "[forward]") {
  const NoLeaks guard;
  const Tensor x = scalar(2);
  const ForwardAccumulator acc(x, scalar(1));
  CHECK(message_of<GradError>([&] { detail::unary<NoRule>(x); }).find("in the forward rule of no_rule: ") == 0);
  CHECK_GRADIENT(acc.jvp(x * x), 4);
}
