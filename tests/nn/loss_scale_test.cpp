#include "../catch.h"
#include "../support.h"

#include <weft/weft.h>

using namespace weft;

TEST_CASE("a loss scale passes finite gradients, divided, and grows after its interval", "[nn][loss_scale]") {
  for (const bool compiled : {false, true}) {
    Variable w = full({3}, 1.0);
    nn::SGD sgd(nn::parameters(w), {.learning_rate = 0.5});
    nn::LossScale scale({.initial = 8, .growth = 4, .interval = 2});
    auto run = [&](const Tensor& x) {
      GradientTape tape;
      const Tensor loss = scale.scaled(sum(w * x));
      Gradients g;
      g.add(w, tape.gradient(loss, w));
      return scale.apply(sgd, g);
    };
    auto fast = compile(run);
    const auto once = [&](double x) { return (compiled ? fast(full({3}, x)) : run(full({3}, x))).item() != 0; };
    CHECK(once(2));
    CHECK(w.value().at({0}) == 0.0);
    CHECK(scale.scale().value().item() == 8);
    CHECK(once(2));
    CHECK(scale.scale().value().item() == 32);
    CHECK(w.value().at({2}) == -1.0);
    CHECK(once(0));
    CHECK(w.value().at({2}) == -1.0);
  }
}

TEST_CASE("a gradient that is not finite changes nothing but the scale, which falls, not below 1", "[nn][loss_scale]") {
  for (const bool compiled : {false, true})
    for (const double bad : {double(INFINITY), double(NAN)}) {
      Variable a = full({2}, 1.0), b = full({2}, 1.0);
      nn::Adam adam(nn::parameters(a, b));
      nn::LossScale scale({.initial = 3, .backoff = 0.5});
      const auto run = [&](const Tensor& g) {
        Gradients list;
        list.add(a, full({2}, 1.0));
        list.add(b, g);
        return scale.apply(adam, list);
      };
      auto fast = compile(run);
      const auto once = [&](double g) { return (compiled ? fast(full({2}, g)) : run(full({2}, g))).item() != 0; };
      CHECK(once(1));
      const auto all_state = [&] {
        std::vector<Tensor> values = {a, b};
        for (const nn::Parameter& p : adam.state()) values.push_back(p.variable());
        return values;
      };
      const auto before = all_state();
      CHECK_FALSE(once(bad));
      const auto after = all_state();
      for (std::size_t i = 0; i < before.size(); ++i) CHECK(test::difference(before[i], after[i]) == "");
      CHECK(scale.scale().value().item() == 1.5);
      CHECK_FALSE(once(bad));
      CHECK_FALSE(once(bad));
      CHECK(scale.scale().value().item() == 1);
      CHECK(once(1));
      CHECK(adam.step().value().item() == 2);
    }
}

TEST_CASE("a loss scale hides no missing gradient", "[nn][loss_scale][errors]") {
  Variable a = full({2}, 1.0), b = full({2}, 1.0);
  nn::SGD sgd(nn::parameters(a, b));
  nn::LossScale scale;
  Gradients list;
  list.add(a, Tensor());
  list.add(b, Tensor());
  CHECK_THROWS_AS(scale.apply(sgd, list), GradError);
  CHECK_THROWS_AS(nn::LossScale({.initial = 1e300}), ArgumentError);
}

TEST_CASE("f16 gradients that vanish unscaled arrive by a loss scale", "[nn][loss_scale]") {
  const nn::PrecisionScope mixed(DType::f16);
  const nn::Linear layer(1, 1, false, nn::init::zeros);
  const Tensor x = full({1, 1}, 1.0);
  const auto gradient = [&](double factor) {
    GradientTape tape;
    const Tensor loss = sum(cast(layer(x), f32)) * 1e-9 * factor;
    return tape.gradient(loss, layer)[layer.weight].item() / factor;
  };
  CHECK(gradient(1) == 0);
  CHECK(gradient(65536) == Approx(1e-9).epsilon(1e-2));
}

TEST_CASE("a loss scale's options are checked, its state is named", "[nn][loss_scale][errors]") {
  CHECK_THROWS_AS(nn::LossScale({.initial = 0.5}), ArgumentError);
  CHECK_THROWS_AS(nn::LossScale({.initial = INFINITY}), ArgumentError);
  CHECK_THROWS_AS(nn::LossScale({.growth = NAN}), ArgumentError);
  CHECK_THROWS_AS(nn::LossScale({.backoff = 1}), ArgumentError);
  CHECK_THROWS_AS(nn::LossScale({.interval = 0}), ArgumentError);
  const nn::LossScale scale;
  CHECK(scale.state()[0].path() == "loss_scale");
  CHECK(scale.state()[1].path() == "loss_scale.steps");

  Variable a = full({2}, 1.0), other = full({2}, 1.0);
  nn::SGD sgd(nn::parameters(a));
  nn::LossScale fresh;
  Gradients foreign;
  foreign.add(other, full({2}, 1.0));
  CHECK_THROWS_AS(fresh.apply(sgd, foreign), ArgumentError);
  CHECK(fresh.scale().value().item() == 65536);
}
