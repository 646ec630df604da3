// The gradient of gamma numbers for their concentration: the derivative of their quantile.
#include <weft/ops/random.h>
#include <weft/tensor/parallel.h>

#include "../gamma_cumulative.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Drawn {
  Tensor x, slope;
};
Drawn draw(const Tensor& concentration, std::uint64_t seed) {
  random::Generator g(seed);
  GradientTape tape;
  tape.watch(concentration);
  const Tensor x = random::gamma(concentration, g);
  return {x, tape.gradient(x, concentration)};
}

// x with P(a, x) = p, from a value nearby.
double quantile(double a, double p, double x) {
  for (int i = 0; i < 50; ++i) {
    const double density = std::exp((a - 1) * std::log(x) - x - std::lgamma(a));
    const double step = (gamma_cumulative(a, x) - p) / density;
    x = step < x ? x - step : x / 2;
    if (std::abs(step) < 1e-15 * x) break;
  }
  return x;
}

}  // namespace

TEST_CASE("the gradient of gamma for its concentration is the slope of the quantile", "[random][gamma]") {
  for (const double a : {0.1, 0.4, 1.0, 1.7, 6.0, 33.0, 250.0}) {
    const auto [x, slope] = draw(full({300}, a, f64), 3);
    int checked = 0;
    double worst = 0;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const double v = x.at({i}), p = gamma_cumulative(a, v), h = 1e-4 * a;
      if (p < 1e-3 || p > 1 - 1e-3) continue;  // there differences of P are too few digits
      // a difference of order 4: errors of 1e-16 / h and h^4
      const auto at = [&](double k) { return quantile(a + k * h, p, v); };
      const double want = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
      worst = std::max(worst, std::abs(slope.at({i}) - want) / want);
      ++checked;
    }
    INFO(a << ": " << worst);
    CHECK(checked > 250);
    CHECK(worst < 1e-7);
  }
}

TEST_CASE("gamma's gradient in the tails, at tiny and at large concentrations", "[random][gamma]") {
  // P(a, x) = x^a / gamma(a + 1) for x near 0: the quantile's slope is x (digamma(a + 1) - log x) / a
  const Tensor small = full({200}, 0.02, f64);
  const auto [x, slope] = draw(small, 5);
  constexpr double digamma = -0.5447893104561797;  // of 1.02
  for (std::int64_t i = 0; i < x.size(); ++i)
    if (const double v = x.at({i}); v < 1e-12)
      CHECK(std::abs(slope.at({i}) - v * (digamma - std::log(std::max(v, 1e-300))) / 0.02) <= 1e-9 * slope.at({i}));
  // 1 + z / (2 sqrt(a)) to 1 / a, on both sides of where the method changes
  for (const double a : {0.9e5, 1.1e5, 1e9}) {
    const Drawn large = draw(full({500}, a, f64), 7);
    const Tensor z = (large.x - a) * (1 / std::sqrt(a));
    CHECK(max(abs(large.slope - 1 - z * (0.5 / std::sqrt(a)))).item() < 3 / a);
  }
  const Drawn near = draw(full({20}, 99'999.0, f64), 9), beyond = draw(full({20}, 100'001.0, f64), 9);
  CHECK(max(abs(near.slope - beyond.slope)).item() < 1e-7);  // the same numbers: what a step of 2 makes
  CHECK(all(isnan(draw(tensor({0, -1, INFINITY, NAN}), 1).slope)).item<bool>());
  CHECK(draw(zeros({0, 3}, f64), 1).slope.shape() == Shape{0, 3});
}

TEST_CASE("gamma's gradients have the means that moments have", "[random][gamma]") {
  constexpr std::int64_t n = 100'000;
  for (const double a : {0.3, 2.0, 20.0}) {
    const auto [x, slope] = draw(full({n}, a, f64), 21);
    const auto near = [&](const Tensor& t, double want) {
      const double spread = std::sqrt((mean(square(t)).item() - std::pow(mean(t).item(), 2)) / n);
      CHECK(std::abs(mean(t).item() - want) < 4 * spread);
    };
    near(slope, 1);                  // d E[x] = d a
    near(2 * x * slope, 2 * a + 1);  // d E[x^2] = d a (a + 1)
  }
}

TEST_CASE("gamma's gradient in f32, on any number of threads, and not at order 2", "[random][gamma]") {
  const Tensor a = broadcast_to(tensor<double>({0.2, 1, 5}), {700, 3});
  const auto [wide, wide_slope] = draw(a, 4);
  const auto [x, slope] = draw(cast(a, f32), 4);
  CHECK(slope.dtype() == f32);
  const Tensor sure = wide > 1e-20;  // what f32 holds
  CHECK(max(where(sure, abs(cast(slope, f64) / wide_slope - 1), 0)).item() < 1e-5);
  set_num_threads(1);
  CHECK_SAME(draw(a, 4).slope, wide_slope);
  set_num_threads(2);

  // A scale has its gradient by the product; shapes broadcast as they do.
  random::Generator g(1);
  const Tensor one = tensor<double>(3), scale = tensor<double>(2);
  GradientTape tape({.persistent = true});
  tape.watch(std::pair{one, scale});
  const Tensor sample = random::gamma(broadcast_to(one, {4}), g) * scale, total = sum(sample);
  CHECK(std::abs(tape.gradient(total, scale).item() - total.item() / 2) < 1e-12);
  const Tensor first = tape.gradient(total, one);
  CHECK(first.item() > 0);
  CHECK(message_of<GradError>([&] { tape.gradient(first, one); }) ==
        "in the gradient of gamma_slope: a gamma number has no second derivative for its concentration\n"
        "  at HERE\n"
        "  hint: one derivative is there; stop_gradient it if that is meant to be a constant");
}
