// Normalisation: the functions against sums written out, their gradients, their bits; the layers' statistics and modes.
#include <weft/weft.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double eps = 1e-5;

// Element by element in f64: `group(i)` says with which elements i is normalised, `channel(i)` its weight and bias.
Tensor reference(const Tensor& x, const std::function<std::int64_t(std::int64_t)>& group,
                 const std::function<std::size_t(std::int64_t)>& channel, const Tensor& weight, const Tensor& bias,
                 bool centre = true) {
  const auto v = x.to_vector<double>(), w = weight.to_vector<double>(), b = bias.to_vector<double>();
  const auto n = static_cast<std::int64_t>(v.size());
  return filled(x.shape(), x.dtype(), [&](std::int64_t i) {
    double sum = 0, square = 0, count = 0;
    for (std::int64_t j = 0; j < n; ++j)
      if (group(j) == group(i)) sum += v[static_cast<std::size_t>(j)], ++count;
    const double mean = centre ? sum / count : 0;
    for (std::int64_t j = 0; j < n; ++j)
      if (group(j) == group(i)) square += std::pow(v[static_cast<std::size_t>(j)] - mean, 2);
    return (v[static_cast<std::size_t>(i)] - mean) / std::sqrt(square / count + eps) * w[channel(i)] + b[channel(i)];
  });
}

struct Inputs {
  Tensor x, weight, bias;
};
Inputs inputs(const Shape& shape, const Shape& parameters, DType t = f64) {
  Random r(3);
  return {random_tensor(r, shape, t), random_tensor(r, parameters, t, 0.5, 2), random_tensor(r, parameters, t)};
}

}  // namespace

TEST_CASE("layer_norm and rms_norm normalise over the last axes", "[norm]") {
  const auto [x, w, b] = inputs({3, 2, 5}, {5});
  const auto row = [](std::int64_t i) { return i / 5; };
  const auto column = [](std::int64_t i) { return static_cast<std::size_t>(i % 5); };
  CHECK_NEAR(layer_norm(x, {5}, w, b), reference(x, row, column, w, b), 1e-12);
  CHECK_NEAR(layer_norm(x, {5}), reference(x, row, column, ones({5}, f64), zeros({5}, f64)), 1e-12);
  CHECK_NEAR(rms_norm(x, {5}, w), reference(x, row, column, w, zeros({5}, f64), false), 1e-12);
  const auto [y, w2, b2] = inputs({3, 2, 5}, {2, 5});
  const auto matrix = [](std::int64_t i) { return i / 10; };
  const auto cell = [](std::int64_t i) { return static_cast<std::size_t>(i % 10); };
  CHECK_NEAR(layer_norm(y, {2, 5}, w2, b2), reference(y, matrix, cell, w2, b2), 1e-12);
  CHECK_NEAR(layer_norm(tensor({1, 2, 4}), {3}), tensor({-1.0690433, -0.26726082, 1.3363041}), 1e-5);
  CHECK_VALUES(layer_norm(full({4}, 7), {4}), 0, 0, 0, 0);  // no deviation: epsilon alone
  CHECK(layer_norm(zeros({0, 4}), {4}).shape() == Shape{0, 4});
  CHECK(rms_norm(zeros({2, 0}), {0}).shape() == Shape{2, 0});
}

TEST_CASE("group_norm and instance_norm normalise each example's channels", "[norm]") {
  const auto [x, w, b] = inputs({2, 6, 2, 3}, {6});
  const auto channel = [](std::int64_t i) { return static_cast<std::size_t>(i / 6 % 6); };
  CHECK_NEAR(group_norm(x, 3, w, b),
             reference(
                 x, [](std::int64_t i) { return i / 12; }, channel, w, b),
             1e-12);
  CHECK_NEAR(group_norm(x, 1, w, b),
             reference(
                 x, [](std::int64_t i) { return i / 36; }, channel, w, b),
             1e-12);
  CHECK_NEAR(instance_norm(x, w, b),
             reference(
                 x, [](std::int64_t i) { return i / 6; }, channel, w, b),
             1e-12);
  CHECK_SAME(instance_norm(x), group_norm(x, 6));
  CHECK(group_norm(zeros({0, 4, 3}), 2).shape() == Shape{0, 4, 3});
  CHECK(instance_norm(zeros({2, 0, 3})).shape() == Shape{2, 0, 3});
  CHECK_THROWS_AS(instance_norm(zeros({2, 4})), ShapeError);
}

TEST_CASE("batch_norm_training normalises by the batch, batch_norm by what it is given", "[norm]") {
  const auto [x, w, b] = inputs({4, 3, 2, 5}, {3});
  const auto channel = [](std::int64_t i) { return i / 10 % 3; };
  const auto [y, mean_, variance] = batch_norm_training(x, w, b);
  CHECK_NEAR(y,
             reference(
                 x, channel, [&](std::int64_t i) { return static_cast<std::size_t>(channel(i)); }, w, b),
             1e-12);
  CHECK_NEAR(mean_, mean(x, {0, 2, 3}), 1e-14);
  CHECK_NEAR(variance, var(x, {0, 2, 3}), 1e-13);
  CHECK_NEAR(batch_norm(x, mean_, variance, w, b), y, 1e-14);
  CHECK_VALUES(batch_norm(tensor({{1, 2}, {3, 4}}), tensor({1, 0}), tensor({4, 1}), {}, tensor({0, 10}), 0), 0, 12, 1,
               14);
  CHECK_NEAR(batch_norm_training(tensor({{1, 5}, {3, 5}})).output, tensor({{-1, 0}, {1, 0}}), 1e-5);
}

TEST_CASE("every norm passes gradcheck, batches, and gives the same bits compiled", "[norm][gradcheck]") {
  using Norm = std::function<std::vector<Tensor>(const Tensor&, const Tensor&, const Tensor&)>;
  using T = const Tensor&;
  const std::pair<Shape, Norm> norms[] = {
      {{4}, [](T x, T w, T b) { return std::vector{layer_norm(x, {4}, w, b)}; }},
      {{3, 4},
       [](T x, T w, T b) {
         return std::vector{layer_norm(x, {3, 4}, w, b)};
       }},
      {{4}, [](T x, T w, T b) { return std::vector{rms_norm(x, {4}, w) + b}; }},
      {{2}, [](T x, T w, T b) { return std::vector{group_norm(x, 1, w, b)}; }},
      {{2}, [](T x, T w, T b) { return std::vector{instance_norm(x, w, b)}; }},
      {{2},
       [](T x, T w, T b) {
         const auto [y, m, v] = batch_norm_training(x, w, b);
         return std::vector{y, m, v};
       }},
      {{2}, [](T x, T w, T b) { return std::vector{batch_norm(x, b, square(w), w, b)}; }},
  };
  for (std::size_t k = 0; k < std::size(norms); ++k) {
    INFO("norm " << k);
    const auto& [parameters, norm] = norms[k];
    const auto given = inputs({3, 2, 3, 4}, parameters);
    const Tensor &x = given.x, &w = given.weight, &b = given.bias;
    CHECK(gradcheck(norm, std::tuple(x, w, b)).message == "");
    const std::vector<Tensor> one = norm(x, w, b), other = norm(x * 2 + 1, w, b);
    const std::vector<Tensor> both =
        vmap(norm, {.in_axes = {0, std::nullopt, std::nullopt}})(stack({x, x * 2 + 1}), w, b);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK_NEAR(both[i], stack({one[i], other[i]}), 1e-13);
    for (const DType t : {f32, f64, DType::bf16}) {
      const auto with_gradients = [&](const Tensor& in, const Tensor& weight, const Tensor& bias) {
        GradientTape tape;
        tape.watch(in, weight, bias);
        std::vector<Tensor> out = norm(in, weight, bias);
        const auto [dx, dw, db] = tape.gradient(sum(square(out[0])), in, weight, bias);
        for (const Tensor& d : {dx, dw, db}) out.push_back(d);
        return out;
      };
      const auto [in, weight, bias] = inputs({300, 2, 3, 4}, parameters, t);
      const std::vector<Tensor> eager = with_gradients(in, weight, bias),
                                compiled = compile(with_gradients)(in, weight, bias);
      for (std::size_t i = 0; i < eager.size(); ++i) CHECK_SAME(compiled[i], eager[i]);
      const Tensor wide = norm(cast(in, f64), cast(weight, f64), cast(bias, f64))[0];
      CHECK_NEAR(cast(eager[0], f64), wide, t == DType::bf16 ? 0.01 : 1e-5);
    }
  }
}

TEST_CASE("a norm over a row is one loop of the compiler's, with its gradient two at most", "[norm]") {
  const auto norm = [](const Tensor& x, const Tensor& w, const Tensor& b) { return layer_norm(x, {768}, w, b); };
  auto forward = compile(norm);
  forward(ones({64, 768}), ones({768}), zeros({768}));
  CHECK(forward.stats().kernels == 1);
  auto backward = compile([&](const Tensor& x, const Tensor& w, const Tensor& b) {
    GradientTape tape;
    tape.watch(x, w, b);
    return tape.gradient(sum(norm(x, w, b) * x), x, w, b);
  });
  backward(ones({64, 768}), ones({768}), zeros({768}));
  CHECK(backward.stats().kernels <= 2);
}

TEST_CASE("BatchNorm follows the batches' statistics, as PyTorch's does", "[norm]") {
  nn::BatchNorm layer(2, 1e-5, 0.25);
  CHECK(layer.text() == "BatchNorm 2");
  CHECK(nn::count_parameters(layer) == 4);
  CHECK(nn::parameters(layer)[3].path() == "running_var");
  CHECK_FALSE(layer.running_mean.trainable());
  const Tensor x = tensor({{1, 10}, {3, 20}, {8, 60}});
  const auto train = [&](const Tensor& t) {
    const nn::TrainScope scope;
    return layer(t);
  };
  nn::BatchNorm compiled = layer;
  auto step = compile([&](const Tensor& t) { return compiled(t); });
  const Tensor y = train(x);
  CHECK_NEAR(y, batch_norm_training(x).output, 1e-6);
  CHECK_NEAR(layer.running_mean.value(), tensor({1, 7.5}), 1e-6);    // a quarter of 4, 30
  CHECK_NEAR(layer.running_var.value(), tensor({4, 175.75}), 1e-6);  // 3/4 + a quarter of 26 / 2, 1400 / 2
  CHECK_SAME(step(x), y);
  CHECK_SAME(step(x + 1), train(x + 1));
  CHECK_SAME(compiled.running_mean.value(), layer.running_mean.value());
  CHECK_SAME(compiled.running_var.value(), layer.running_var.value());
  const Tensor mean_before = layer.running_mean;
  const nn::EvalScope eval;
  CHECK_NEAR(layer(x), (x - layer.running_mean) / sqrt(layer.running_var + 1e-5), 1e-5);
  CHECK_SAME(layer(slice_axis(x, 0, 0, 1)), slice_axis(layer(x), 0, 0, 1));  // one example is enough
  CHECK_SAME(layer.running_mean.value(), mean_before);
  CHECK_SAME(step(x), layer(x));
}

TEST_CASE("norm layers hold what their functions take", "[norm]") {
  const auto [x, w, b] = inputs({2, 4, 3}, {4}, f32);
  nn::GroupNorm group(2, 4);
  group.weight->assign(w), group.bias->assign(b);
  CHECK_SAME(group(x), group_norm(x, 2, w, b));
  CHECK(group.text() == "GroupNorm 2 groups of 2");
  nn::InstanceNorm instance(4);
  CHECK_FALSE(instance.weight);
  CHECK_SAME(instance(x), instance_norm(x));
  nn::LayerNorm layer({4, 3}), unbiased({3}, 1e-5, true, false);
  CHECK_SAME(layer(x), layer_norm(x, {4, 3}, ones({4, 3}), zeros({4, 3})));
  CHECK(nn::count_parameters(unbiased) == 3);
  CHECK(layer.text() == "LayerNorm [4, 3]");
  nn::RMSNorm root({3});
  CHECK_SAME(root(x), rms_norm(x, {3}, ones({3})));
  CHECK(nn::RMSNorm({3}, 1e-5, true, f64)(cast(x, f64)).dtype() == f64);
  GradientTape tape;
  const nn::Sequential net(nn::LayerNorm({3}), nn::Relu{});
  CHECK(tape.gradient(sum(net(x)), net).size() == 2);
}
