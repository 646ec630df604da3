// Optimizers against plain loops in double, eager and compiled; what they refuse; clipping; schedules.
#include <weft/weft.h>

#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

using Doubles = std::vector<double>;

// The gradient that both sides use at step t (from 0): of sum(a (p - c)^2) with a factor that changes.
constexpr double a[] = {1, 0.5, 3}, c[] = {0.3, -2, 1};
double slope(int t, std::size_t i, double p) { return 2 * a[i] * (p - c[i]) * (1 + 0.3 * std::sin(t)); }

constexpr int steps = 25;

// Trains Variable p of 3 doubles (or floats) with the library and returns where it was after each step.
std::vector<Doubles> trajectory(const std::function<std::unique_ptr<nn::Optimizer>(const Variable&)>& make,
                                bool compiled, DType dtype = f64) {
  Variable p = cast(tensor<double>({2, 1, -1}), dtype);
  const auto opt = make(p);
  const Tensor ta = cast(tensor<double>({a[0], a[1], a[2]}), dtype),
               tc = cast(tensor<double>({c[0], c[1], c[2]}), dtype);
  const auto step = [&](const Tensor& factor) {
    GradientTape tape;
    const Tensor loss = sum(ta * square(p - tc)) * factor;
    opt->apply({{p, tape.gradient(loss, p)}});
    return loss;
  };
  auto fast = compile(step, {.check = true});
  std::vector<Doubles> path;
  for (int t = 0; t < steps; ++t) {
    opt->set_learning_rate(0.05 / (1 + t));  // a schedule, and still one trace
    const Tensor factor = full({}, 1 + 0.3 * std::sin(t), dtype);
    compiled ? fast(factor) : step(factor);
    path.push_back(p.value().to_vector<double>());
  }
  if (compiled) CHECK(fast.stats().traces == 1);
  CHECK(opt->step().value().item<std::int64_t>() == steps);
  return path;
}

void compare(const std::function<std::unique_ptr<nn::Optimizer>(const Variable&)>& make,
             const std::function<Doubles(int t, double lr, Doubles p)>& reference) {
  const auto eager = trajectory(make, false), compiled = trajectory(make, true), narrow = trajectory(make, false, f32);
  CHECK(trajectory(make, true, f32) == narrow);
  CHECK(eager == compiled);
  Doubles p = {2, 1, -1};
  for (int t = 0; t < steps; ++t) {
    p = reference(t, 0.05 / (1 + t), p);
    for (std::size_t i = 0; i < 3; ++i) {
      INFO("step " << t);
      CHECK(eager[static_cast<std::size_t>(t)][i] == Approx(p[i]).epsilon(1e-12));
      CHECK(narrow[static_cast<std::size_t>(t)][i] == Approx(p[i]).epsilon(2e-5).margin(1e-6));
    }
  }
}

template <class Opt, class Options> auto maker(Options options) {
  return [=](const Variable& p) { return std::make_unique<Opt>(p, options); };
}

struct Two {
  nn::Linear fc1{3, 4}, fc2{4, 2};
  Tensor operator()(const Tensor& x) const { return fc2(tanh(fc1(x))); }
  WEFT_MEMBERS(fc1, fc2)
};

}  // namespace

TEST_CASE("SGD follows p -= lr g") {
  compare(maker<nn::SGD>(nn::SgdOptions{}), [](int t, double lr, Doubles p) {
    for (std::size_t i = 0; i < 3; ++i) p[i] -= lr * slope(t, i, p[i]);
    return p;
  });
}

TEST_CASE("SGD with momentum, nesterov and weight decay follows its formulas") {
  for (const bool nesterov : {false, true}) {
    Doubles v(3);
    compare(maker<nn::SGD>(nn::SgdOptions{.momentum = 0.9, .nesterov = nesterov, .weight_decay = 1e-2}),
            [&](int t, double lr, Doubles p) {
              for (std::size_t i = 0; i < 3; ++i) {
                const double g = slope(t, i, p[i]) + 1e-2 * p[i];
                v[i] = 0.9 * v[i] + g;
                p[i] -= lr * (nesterov ? g + 0.9 * v[i] : v[i]);
              }
              return p;
            });
  }
}

TEST_CASE("Adam and AdamW follow their formulas, epsilon after the correction") {
  for (const bool decoupled : {false, true}) {
    for (const double decay : {0.0, 0.1}) {
      constexpr double b1 = 0.8, b2 = 0.99, epsilon = 1e-3;  // an epsilon that shows where it stands
      Doubles m(3), v(3);
      const auto reference = [&](int t, double lr, Doubles p) {
        for (std::size_t i = 0; i < 3; ++i) {
          const double g = slope(t, i, p[i]) + (decoupled ? 0 : decay * p[i]);
          if (decoupled) p[i] *= 1 - lr * decay;
          m[i] = b1 * m[i] + (1 - b1) * g;
          v[i] = b2 * v[i] + (1 - b2) * g * g;
          const double mhat = m[i] / (1 - std::pow(b1, t + 1)), vhat = v[i] / (1 - std::pow(b2, t + 1));
          p[i] -= lr * mhat / (std::sqrt(vhat) + epsilon);
        }
        return p;
      };
      if (decoupled)
        compare(maker<nn::AdamW>(nn::AdamWOptions{.beta1 = b1, .beta2 = b2, .epsilon = epsilon, .weight_decay = decay}),
                reference);
      else
        compare(maker<nn::Adam>(nn::AdamOptions{.beta1 = b1, .beta2 = b2, .epsilon = epsilon, .weight_decay = decay}),
                reference);
    }
  }
}

TEST_CASE("RMSprop follows its formulas: momentum, centered, weight decay") {
  for (const double momentum : {0.0, 0.8})
    for (const bool centered : {false, true}) {
      constexpr double rho = 0.7, epsilon = 0.25, decay = 1e-2;
      Doubles v(3), m(3), step(3);
      compare(maker<nn::RMSprop>(nn::RMSpropOptions{
                  .rho = rho, .momentum = momentum, .epsilon = epsilon, .centered = centered, .weight_decay = decay}),
              [&](int t, double lr, Doubles p) {
                for (std::size_t i = 0; i < 3; ++i) {
                  const double g = slope(t, i, p[i]) + decay * p[i];
                  v[i] = rho * v[i] + (1 - rho) * g * g;
                  m[i] = rho * m[i] + (1 - rho) * g;
                  step[i] = momentum * step[i] + lr * g / std::sqrt((centered ? v[i] - m[i] * m[i] : v[i]) + epsilon);
                  p[i] -= step[i];
                }
                return p;
              });
    }
}

TEST_CASE("Adagrad follows its formula") {
  Doubles s(3, 0.5);
  compare(maker<nn::Adagrad>(nn::AdagradOptions{.initial_accumulator = 0.5, .epsilon = 1e-2, .weight_decay = 1e-2}),
          [&](int t, double lr, Doubles p) {
            for (std::size_t i = 0; i < 3; ++i) {
              const double g = slope(t, i, p[i]) + 1e-2 * p[i];
              s[i] += g * g;
              p[i] -= lr * g / std::sqrt(s[i] + 1e-2);
            }
            return p;
          });
}

TEST_CASE("a learning rate is set outside of compiled steps") {
  Variable w(tensor({1, 2}));
  nn::SGD opt(w, {.learning_rate = 0.5});
  auto step = compile([&](const Tensor& x) {
    opt.set_learning_rate(0.25);
    opt.apply({{w, x}});
  });
  CHECK(message_of<GuardError>([&] { step(ones({2})); }).find("set_learning_rate: the rate would be this one") == 0);
  CHECK(opt.learning_rate() == 0.5);
  CHECK_SAME(w, tensor({1, 2}));
}

TEST_CASE("parameter groups have rates and decays of their own") {
  Two model;
  const auto all = nn::parameters(model);
  const auto matrices = nn::select(all, [](const auto& p) { return p.shape().size() >= 2; });
  const auto vectors = nn::select(all, [](const auto& p) { return p.shape().size() < 2; });
  REQUIRE(matrices.size() == 2);
  REQUIRE(vectors.size() == 2);
  nn::AdamW opt({{matrices, {}, 0.5}, {vectors, 0.25, 0.0}}, {.learning_rate = 0.125});
  CHECK(opt.groups() == 2);
  CHECK(opt.learning_rate(0) == 0.125);
  CHECK(opt.learning_rate(1) == 0.25);
  model.fc1.bias->assign(ones({4}));
  const Two before = model;
  Gradients zero;
  for (const auto& p : all) zero.add(p.variable(), zeros(p.shape()));
  opt.apply(zero);  // m = v = 0: what moves is the decay
  const Tensor expected = before.fc1.weight.value() * (1 - 0.125 * 0.5);
  for (std::size_t i = 0; i < 12; ++i)
    CHECK(model.fc1.weight.value().to_vector<double>()[i] == Approx(expected.to_vector<double>()[i]).epsilon(1e-6));
  CHECK(model.fc1.bias->value().to_vector<float>() == std::vector<float>(4, 1));
  opt.set_learning_rate(1, 0.5);
  CHECK(opt.learning_rate(0) == 0.125);
  CHECK(opt.learning_rate(1) == 0.5);
  opt.set_learning_rate(0.0625);
  CHECK(opt.learning_rate(1) == 0.0625);
  CHECK_THROWS_AS(opt.set_learning_rate(2, 1), IndexError);
  CHECK_THROWS_AS(opt.learning_rate(2), IndexError);
}

TEST_CASE("an undefined gradient leaves its variable and slots alone") {
  Two model;
  nn::Adam opt(model);
  const Two before = model;
  GradientTape tape;
  const Tensor loss = sum(model.fc1(ones({1, 3})));  // fc2 is not used
  const Gradients g = tape.gradient(loss, model);
  REQUIRE_FALSE(g[model.fc2.weight].defined());
  const std::string warned = written_by([&] { opt.apply(g); });
  CHECK(warned.find("weft: warning: apply at tests/nn/optimizer_test.cpp:") == 0);
  CHECK(warned.find(": variables without a gradient stay as they are: \"fc2.weight\" f32[") != std::string::npos);
  CHECK(warned.find("\"fc2.bias\"") != std::string::npos);
  CHECK(written_by([&] { opt.apply(g); }) == "");  // once
  CHECK(model.fc2.weight.value().to_vector<float>() == before.fc2.weight.value().to_vector<float>());
  CHECK(model.fc1.weight.value().to_vector<float>() != before.fc1.weight.value().to_vector<float>());
}

TEST_CASE("bf16 parameters are updated in f32") {
  Variable p = cast(tensor({1, 2, 3}), DType::bf16);
  nn::Adam opt(p, {.learning_rate = 0.5});
  opt.apply({{p, cast(tensor({1, -1, 1}), DType::bf16)}});
  CHECK(p.dtype() == DType::bf16);
  CHECK(p.value().to_vector<float>() == std::vector<float>{0.5f, 2.5f, 2.5f});
  for (const auto& s : opt.state()) CHECK(s.type().dtype != DType::bf16);
}

TEST_CASE("what an optimizer refuses changes nothing") {
  Two model;
  nn::SGD opt(model, {.learning_rate = 1});
  Variable stranger(ones({2}), true, "stranger");
  const auto before = model.fc1.weight.value().to_vector<float>();
  Gradients g;
  g.add(model.fc1.weight, ones({3, 4}));
  g.add(stranger, ones({2}));
  CHECK(message_of<ArgumentError>([&] { opt.apply(g); }).find("\"stranger\" f32[2] is none of this optimizer's") !=
        std::string::npos);
  Gradients shape;
  shape.add(model.fc1.weight, ones({3, 4}));
  shape.add(model.fc2.weight, ones({2, 4}));
  const std::string text = message_of<ShapeError>([&] { opt.apply(shape); });
  CHECK(text.find("the gradient has shape [2, 4], its variable [4, 2]") != std::string::npos);
  CHECK(text.find("\"fc2.weight\"") != std::string::npos);
  Gradients dtype;
  dtype.add(model.fc1.weight, ones({3, 4}, f64));
  CHECK_THROWS_AS(opt.apply(dtype), DTypeError);
  Gradients twice;
  twice.add(model.fc1.weight, ones({3, 4}));
  twice.add(model.fc1.weight, ones({3, 4}));
  CHECK_THROWS_AS(opt.apply(twice), ArgumentError);
  CHECK(model.fc1.weight.value().to_vector<float>() == before);
  CHECK(opt.step().value().item() == 0);

  CHECK_THROWS_AS(opt.set_learning_rate(-1), ArgumentError);
  CHECK_THROWS_AS(opt.set_learning_rate(NAN), ArgumentError);
  CHECK_THROWS_AS(nn::SGD(model, {.learning_rate = INFINITY}), ArgumentError);
  CHECK_THROWS_AS(nn::SGD(model, {.momentum = 1}), ArgumentError);
  CHECK_THROWS_AS(nn::SGD(model, {.nesterov = true}), ArgumentError);
  CHECK_THROWS_AS(nn::Adam(model, {.beta1 = 1}), ArgumentError);
  CHECK_THROWS_AS(nn::Adam(model, {.epsilon = -1}), ArgumentError);
  CHECK_THROWS_AS(nn::AdamW(model, {.weight_decay = -1}), ArgumentError);
  CHECK_THROWS_AS(nn::RMSprop(model, {.rho = 1}), ArgumentError);
  CHECK_THROWS_AS(nn::RMSprop(model, {.momentum = -0.5}), ArgumentError);
  CHECK_THROWS_AS(nn::Adagrad(model, {.initial_accumulator = -1}), ArgumentError);
  const auto list = nn::parameters(model);
  CHECK_THROWS_AS(nn::SGD(std::vector<nn::ParameterGroup>{{list}, {list}}), ArgumentError);
  Variable fixed(ones({2}), false);
  CHECK_THROWS_AS(nn::SGD(fixed), ArgumentError);
}

TEST_CASE("an optimizer's state is named, and complete") {
  Two model;
  nn::Adam opt(model);
  std::vector<std::string> names;
  for (const auto& p : opt.state()) names.push_back(p.path());
  CHECK(names == std::vector<std::string>{"step", "learning_rate.0", "m.fc1.weight", "m.fc1.bias", "m.fc2.weight",
                                          "m.fc2.bias", "v.fc1.weight", "v.fc1.bias", "v.fc2.weight", "v.fc2.bias"});
  CHECK(nn::SGD(model).state().size() == 2);
}

TEST_CASE("gradients are clipped by their norm over all of them") {
  Variable u = zeros({2}), w = zeros({1});
  const auto gradients = [&](double x, double y, double z) {
    Gradients g;
    g.add(u, from_vector(std::vector<float>{static_cast<float>(x), static_cast<float>(y)}));
    g.add(w, from_vector(std::vector<float>{static_cast<float>(z)}));
    return g;
  };
  Gradients g = gradients(2, 3, 6);
  CHECK(nn::clip_by_global_norm(g, 3.5).item() == Approx(7));
  CHECK(g[u].to_vector<float>() == std::vector<float>{1, 1.5f});
  CHECK(g[w].to_vector<float>() == std::vector<float>{3});
  Gradients small = gradients(2, 3, 6);
  CHECK(nn::clip_by_global_norm(small, 8).item() == Approx(7));
  CHECK(small[u].to_vector<float>() == std::vector<float>{2, 3});
  Gradients none = gradients(0, 0, 0);
  CHECK(nn::clip_by_global_norm(none, 1).item() == 0);
  CHECK(none[u].to_vector<float>() == std::vector<float>{0, 0});
  Gradients nan = gradients(NAN, 1, 1);
  CHECK(std::isnan(nn::clip_by_global_norm(nan, 1).item()));
  CHECK(std::isnan(nan[w].item()));
  std::vector<Tensor> in_part = {tensor({0.0, 1.0, NAN})};
  nn::clip_by_global_norm(in_part, 1);
  CHECK_SAME(in_part[0], tensor({0.0, NAN, NAN}));
  std::vector<Tensor> large = {full({4}, 1e30)};
  CHECK(nn::clip_by_global_norm(large, 2).item() == Approx(2e30));
  CHECK(large[0].at({0}) == Approx(1));
  std::vector<Tensor> whole = {zeros({4}, i64)};
  CHECK_THROWS_AS(nn::clip_by_global_norm(whole, 2), DTypeError);
  CHECK_THROWS_AS(nn::clip_by_global_norm(g, 0), ArgumentError);
  CHECK_THROWS_AS(nn::clip_by_global_norm(g, NAN), ArgumentError);
  std::vector<Tensor> loose = {tensor<double>({3}), Tensor(), tensor<double>({4})};
  CHECK(nn::clip_by_global_norm(loose, 1).item() == 5);
  CHECK(loose[2].item() == Approx(0.8).epsilon(1e-15));
}

TEST_CASE("schedules are functions of the step") {
  CHECK(nn::constant(0.5)(1000) == 0.5);
  const auto decay = nn::step_decay(1, 10, 0.5);
  CHECK(decay(9) == 1);
  CHECK(decay(10) == 0.5);
  CHECK(decay(35) == 0.125);
  const auto cosine = nn::cosine(1, 100, 0.2);
  CHECK(cosine(0) == Approx(1));
  CHECK(cosine(50) == Approx(0.6));
  CHECK(cosine(25) == Approx(0.2 + 0.4 * (1 + std::cos(std::numbers::pi / 4))));
  CHECK(cosine(100) == Approx(0.2));
  CHECK(cosine(1000) == Approx(0.2));
  const auto warm = nn::warm_up(4, nn::cosine(1, 10));
  CHECK(warm(0) == Approx(0.2));
  CHECK(warm(3) == Approx(0.8));
  CHECK(warm(4) == Approx(1));
  CHECK(warm(9) == Approx(nn::cosine(1, 10)(5)));
  const auto line = nn::linear(1, 4, 0.2);
  CHECK(line(0) == 1);
  CHECK(line(1) == Approx(0.8));
  CHECK(line(4) == 0.2);
  CHECK(line(9) == 0.2);
  const auto cycle = nn::one_cycle(1, 10, 0.5);  // torch.optim.lr_scheduler.OneCycleLR(opt, 1, 10, pct_start=0.5)
  CHECK(cycle(0) == Approx(0.04));
  CHECK(cycle(2) == Approx(0.52));
  CHECK(cycle(4) == Approx(1));
  CHECK(cycle(5) == Approx(0.9045088870));
  CHECK(cycle(9) == Approx(4e-6));
  CHECK(cycle(100) == Approx(4e-6));
  CHECK_THROWS_AS(nn::linear(1, 0), ArgumentError);
  CHECK_THROWS_AS(nn::one_cycle(1, 1), ArgumentError);
  CHECK_THROWS_AS(nn::one_cycle(1, 10, 1), ArgumentError);
  CHECK_THROWS_AS(nn::one_cycle(1, 10, 0.1), ArgumentError);
  CHECK_THROWS_AS(nn::one_cycle(1, 10, NAN), ArgumentError);
  CHECK_THROWS_AS(nn::cosine(1, 0), ArgumentError);
  CHECK_THROWS_AS(nn::step_decay(1, 0), ArgumentError);
  CHECK_THROWS_AS(nn::constant(NAN), ArgumentError);
  CHECK_THROWS_AS(nn::warm_up(-1, nn::constant(1)), ArgumentError);
}

TEST_CASE("gradients are applied in the structure in which the tape gives them", "[optimizer]") {
  std::vector<Variable> list{Variable(tensor({1, 2})), Variable(tensor({3, 4})), Variable(tensor({5}), false)};
  std::vector<nn::Linear> layers{nn::Linear(2, 2), nn::Linear(2, 1)};
  std::map<std::string, Variable> named{{"a", tensor({1})}, {"b", tensor({2})}};
  const Variable w = tensor({1, 1}), b = tensor({2, 2});
  const auto loss = [&] {
    return sum(layers[1](layers[0](expand(list[0] * list[1], 0)))) * sum(list[2]) * named.at("a") * named.at("b") +
           sum(w * b);
  };
  const auto all = std::tie(list, layers, named, w, b);
  Gradients by_hand;
  {
    GradientTape tape({.persistent = true});
    const Tensor l = loss();
    tape.stop();
    for (const nn::Parameter& p : nn::parameters(all))
      if (p.trainable()) by_hand.add(p.variable(), tape.gradient(l, p.variable()));
    const Gradients g = by_variable(all, tape.gradient(l, all));
    CHECK(g.size() == 10);
    for (const auto& [variable, gradient] : by_hand) CHECK_SAME(g[Variable::handle(variable)], gradient);
    CHECK_SAME(by_variable(std::tie(w, b), tape.gradient(l, w, b))[b], w.value());
  }
  nn::SGD opt(all, {.learning_rate = 0.5});
  GradientTape tape;
  std::vector<Tensor> expected;
  for (const auto& [variable, gradient] : by_hand) expected.push_back(variable->value - 0.5 * gradient);
  opt.apply(all, tape.gradient(loss(), all));
  for (std::size_t k = 0; const auto& [variable, gradient] : by_hand) CHECK_SAME(variable->value, expected[k++]);

  nn::SGD of_list(list, {.learning_rate = 1});
  of_list.apply(list, std::vector<Tensor>{ones({2}), Tensor(), Tensor()});
  CHECK_SAME(list[1].value(), expected[1]);
  CHECK_THROWS_AS(of_list.apply(list, std::vector<Tensor>{ones({2})}), ArgumentError);
}

TEST_CASE("a plateau is so many results in a row without improvement") {
  nn::Plateau loss({.patience = 1});
  CHECK(std::isnan(loss.best()));
  CHECK_FALSE(loss.update(NAN));
  CHECK_FALSE(loss.improved());
  CHECK_FALSE(loss.update(3));
  CHECK(loss.improved());
  CHECK_FALSE(loss.update(3));
  CHECK_FALSE(loss.improved());
  CHECK_FALSE(loss.update(2));
  CHECK_FALSE(loss.update(NAN));
  CHECK(loss.update(4));
  CHECK(loss.update(4));
  CHECK(loss.best() == 2);
  loss.wait();
  CHECK_FALSE(loss.update(4));
  CHECK(loss.update(4));
  CHECK_FALSE(loss.update(-INFINITY));
  CHECK(loss.improved());
  CHECK_FALSE(loss.update(-INFINITY));
  nn::Plateau accuracy({.patience = 0, .least = 0.125, .rises = true});
  CHECK_FALSE(accuracy.update(0.5));
  CHECK(accuracy.update(0.625));  // by no more than that
  CHECK_FALSE(accuracy.update(0.75));
  CHECK(accuracy.best() == 0.75);
  CHECK_THROWS_AS(nn::Plateau({.patience = -1}), ArgumentError);
  CHECK_THROWS_AS(nn::Plateau({.least = NAN}), ArgumentError);
}
