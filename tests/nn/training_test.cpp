// Whole runs: one that must learn, one that must not, and compiled runs beside eager ones.
#include <weft/weft.h>

#include <cmath>
#include <functional>
#include <vector>

#include "catch.h"

using namespace weft;

namespace {

// Two rings: class 1 is the outer one. No line separates them.
struct Rings {
  Tensor x, y;
  explicit Rings(std::int64_t n, std::uint64_t seed) {
    random::Generator g(seed);
    const Tensor angle = random::uniform({n}, 0, 6.2831853, f32, g);
    y = cast(random::bernoulli({n}, 0.5, g), i64);
    const Tensor radius = cast(y, f32) + 0.5 + random::normal({n}, 0, 0.05, f32, g);
    x = stack({radius * cos(angle), radius * sin(angle)}, 1);
  }
};

struct Mlp {
  random::Generator g{11};
  nn::Linear fc1, fc2, fc3;
  nn::Dropout drop;
  explicit Mlp(double p, random::Generator& masks)
      : fc1(2, 24, true, nn::init::he_uniform, f32, g),
        fc2(24, 24, true, nn::init::he_uniform, f32, g),
        fc3(24, 2, true, nn::init::glorot_uniform, f32, g),
        drop(p, masks) {}
  Tensor operator()(const Tensor& x) const { return fc3(drop(relu(fc2(nn::Gelu{}(fc1(x)))))); }
  WEFT_MEMBERS(fc1, fc2, fc3)
};

auto step_of(Mlp& model, nn::Optimizer& opt) {
  return [&](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = mean(nn::softmax_cross_entropy(y, model(x)));
    Gradients g = tape.gradient(loss, model);
    const Tensor norm = nn::clip_by_global_norm(g, 1);
    opt.apply(g);
    return std::pair(loss, norm);
  };
}

}  // namespace

TEST_CASE("a network learns rings, and shuffled labels stay at chance") {
  const Rings train(400, 1), test(400, 2);
  for (const bool shuffled : {false, true}) {
    random::Generator masks(5);
    Mlp model(0.1, masks);
    nn::AdamW opt(model, {.learning_rate = 5e-3});
    auto step = compile(step_of(model, opt));
    random::Generator g(99);
    const Tensor y = shuffled ? cast(random::bernoulli({400}, 0.5, g), i64) : train.y;
    const auto schedule = nn::warm_up(10, nn::cosine(5e-3, 200));
    for (int i = 0; i < 210; ++i) {
      opt.set_learning_rate(schedule(i));
      step(train.x, y);
    }
    CHECK(step.stats().traces == 1);
    const nn::EvalScope eval;
    const double accuracy = nn::accuracy(test.y, model(test.x));
    if (shuffled)
      CHECK(accuracy == Approx(0.5).margin(0.15));
    else
      CHECK(accuracy > 0.97);
  }
}

TEST_CASE("a compiled run has the bits of the eager one: losses, norms, weights, slots and masks") {
  const Rings data(64, 3);
  const std::vector<std::function<std::unique_ptr<nn::Optimizer>(const Mlp&)>> makers = {
      [](const Mlp& m) {
        return std::make_unique<nn::SGD>(
            m, nn::SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 1e-4});
      },
      [](const Mlp& m) { return std::make_unique<nn::Adam>(m, nn::AdamOptions{.learning_rate = 1e-2}); },
      [](const Mlp& m) { return std::make_unique<nn::AdamW>(m, nn::AdamWOptions{.learning_rate = 1e-2}); }};
  for (const auto& make : makers) {
    std::vector<std::vector<float>> runs[2];
    for (const bool compiled : {false, true}) {
      random::Generator masks(5);
      Mlp model(0.3, masks);
      const auto opt = make(model);
      auto plain = step_of(model, *opt);
      auto fast = compile(plain);
      auto& log = runs[compiled];
      for (int i = 0; i < 30; ++i) {
        opt->set_learning_rate(0.01 * (1 + i % 3));
        const auto [loss, norm] = compiled ? fast(data.x, data.y) : plain(data.x, data.y);
        log.push_back({loss.item<float>(), norm.item<float>()});
      }
      for (const auto& p : nn::parameters(model)) log.push_back(p.variable().value().to_vector<float>());
      for (const auto& p : opt->state()) log.push_back(p.variable().value().to_vector<float>());
      log.push_back(masks.state.value().to_vector<float>());
    }
    CHECK(runs[0] == runs[1]);
  }
}

TEST_CASE("training makes no tensors that stay") {
  const Rings data(32, 3);
  random::Generator masks(5);
  Mlp model(0.3, masks);
  nn::Adam opt(model);
  const auto step = step_of(model, opt);
  step(data.x, data.y);
  const auto live = live_tensors();
  for (int i = 0; i < 5; ++i) step(data.x, data.y);
  CHECK(live_tensors() == live);
}
