// Random tensors follow their distributions: Kolmogorov-Smirnov and chi-square tests on fixed seeds, so that they hold
// or fail for good; the bounds are those of a level of one in ten thousand.
#include <weft/ops/random.h>
#include <weft/ops/reduce.h>
#include <weft/tensor/parallel.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "gamma_cumulative.h"
#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

// sqrt(n) times the largest distance between the samples' distribution and `cumulative`: above 2.23 once in 10'000.
double kolmogorov(const Tensor& samples, const std::function<double(double)>& cumulative) {
  auto x = samples.to_vector<double>();
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double f = cumulative(x[i]), k = static_cast<double>(i);
    worst = std::max({worst, f - k / n, (k + 1) / n - f});
  }
  return worst * std::sqrt(n);
}
constexpr double kolmogorov_bound = 2.23;

// How far counts are from what is expected, in deviations of the chi-square distribution.
double chi_square(const std::vector<double>& counts, const std::vector<double>& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) sum += std::pow(counts[i] - expected[i], 2) / expected[i];
  const auto freedom = static_cast<double>(counts.size() - 1);
  return (sum - freedom) / std::sqrt(2 * freedom);
}
constexpr double chi_square_bound = 4.5;

std::vector<double> counts_of(const Tensor& numbers, std::size_t classes, double low = 0) {
  std::vector<double> counts(classes);
  for (const double x : numbers.to_vector<double>()) ++counts.at(static_cast<std::size_t>(x - low));
  return counts;
}

double normal_cumulative(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

}  // namespace

TEST_CASE("uniform, normal and truncated normal numbers have their distributions", "[random][once]") {
  random::Generator g(11);
  constexpr std::int64_t n = 200'000;
  for (const DType t : {f32, f64}) {
    INFO(name_of(t));
    CHECK(kolmogorov(random::uniform({n}, -1, 3, t, g), [](double x) { return (x + 1) / 4; }) < kolmogorov_bound);
    CHECK(kolmogorov(random::normal({n}, 2, 3, t, g), [](double x) { return normal_cumulative((x - 2) / 3); }) <
          kolmogorov_bound);
    for (const auto& [low, high] : {std::pair(-2.0, 2.0), {-0.1, 4.0}, {3.0, 4.5}, {-9.0, 9.0}}) {
      INFO(low << " to " << high);
      const Tensor x = random::truncated_normal({n}, 1 + 2 * low, 1 + 2 * high, 1, 2, t, g);
      CHECK(min(x).item() >= 1 + 2 * low);
      CHECK(max(x).item() <= 1 + 2 * high);
      const double from = normal_cumulative(low), mass = normal_cumulative(high) - from;
      CHECK(kolmogorov(x, [&](double v) { return (normal_cumulative((v - 1) / 2) - from) / mass; }) < kolmogorov_bound);
    }
  }
  CHECK(kolmogorov(square(random::uniform({n}, 0, 1, f32, g)), [](double x) { return x; }) > 20);  // it finds others
}

TEST_CASE("random integers are all as likely", "[random]") {
  random::Generator g(12);
  constexpr std::int64_t n = 210'000;
  for (const DType t : {i32, i64, u8}) {
    const Tensor x = random::randint({n}, 3, 24, t, g);
    CHECK(x.dtype() == t);
    CHECK(chi_square(counts_of(x, 21, 3), std::vector<double>(21, n / 21.0)) < chi_square_bound);
  }
  CHECK_VALUES(random::randint({2}, -5, -4, i32, g), -5, -5);
  const auto wide = random::randint({1000}, -(std::int64_t{1} << 52), std::int64_t{1} << 52, i64, g);
  CHECK(kolmogorov(wide, [](double x) { return (x + 0x1p52) / 0x1p53; }) < kolmogorov_bound);
  CHECK(random::randint({500}, 0, 256, u8, g).to_vector<double>() != std::vector<double>(500));
}

TEST_CASE("categorical draws classes as softmax of the logits says", "[random]") {
  random::Generator g(13);
  constexpr std::int64_t n = 100'000;
  const Tensor logits = tensor({{0, 1, -2, -INFINITY, 0.5}, {3, -1, 0, 1, 2}});
  const Tensor x = random::categorical(logits, n, g);
  CHECK(x.type() == Type{i64, {2, n}});
  for (std::int64_t row = 0; row < 2; ++row) {
    std::vector<double> counts = counts_of(slice_axis(x, 0, row, row + 1), 5), expected;
    double sum = 0;
    for (std::int64_t c = 0; c < 5; ++c) sum += std::exp(logits.at({row, c}));
    for (std::int64_t c = 0; c < 5; ++c) expected.push_back(std::exp(logits.at({row, c})) / sum * n);
    if (row == 0) {
      CHECK(counts[3] == 0);
      counts.erase(counts.begin() + 3), expected.erase(expected.begin() + 3);
    }
    CHECK(chi_square(counts, expected) < chi_square_bound);
  }
  CHECK(random::categorical(logits, g).shape() == Shape{2});
  CHECK(random::categorical(cast(logits, DType::bf16), 3, g).shape() == Shape{2, 3});
  CHECK(random::categorical(zeros({0, 4}), 2, g).shape() == Shape{0, 2});
  CHECK_VALUES(random::categorical(full({3}, -INFINITY), 2, g), 0, 0);
}

TEST_CASE("bernoulli takes a probability for each element", "[random]") {
  random::Generator g(14);
  constexpr std::int64_t n = 50'000;
  const Tensor p = tensor({0.1, 0.5, 0.97});
  const auto hits = sum(cast(random::bernoulli(broadcast_to(p, {n, 3}), g), f64), 0).to_vector<double>();
  for (std::size_t i = 0; i < 3; ++i) {
    const double chance = p.to_vector<double>()[i];
    CHECK(std::abs(hits[i] - n * chance) < 4 * std::sqrt(n * chance * (1 - chance)));
  }
  CHECK_VALUES(random::bernoulli(tensor({0, -1, 1, 2, NAN}), g), 0, 0, 1, 1, 0);
}

TEST_CASE("permutations are permutations, each as likely", "[random]") {
  random::Generator g(3);
  std::vector<double> counts(24), expected(24, 1000);
  for (int i = 0; i < 24'000; ++i) {
    const auto p = random::permutation(4, g).to_vector<std::int64_t>();
    std::vector<std::int64_t> sorted = p;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(sorted == std::vector<std::int64_t>{0, 1, 2, 3});
    std::size_t rank = 0;  // among the 24 in order
    for (std::size_t k = 0; k < 4; ++k)
      rank =
          rank * (4 - k) + static_cast<std::size_t>(std::count_if(p.begin() + static_cast<std::ptrdiff_t>(k), p.end(),
                                                                  [&](std::int64_t v) { return v < p[k]; }));
    ++counts[rank];
  }
  CHECK(chi_square(counts, expected) < chi_square_bound);
  CHECK(random::permutation(0, g).shape() == Shape{0});
  CHECK_THROWS_AS(random::permutation(-1, g), ArgumentError);
}

TEST_CASE("gamma numbers have their distribution and moments, concentrations below 1 too", "[random][once]") {
  random::Generator g(15);
  constexpr std::int64_t n = 200'000;
  CHECK(std::abs(gamma_cumulative(1, 2) - (1 - std::exp(-2.0))) < 1e-14);  // what judges is itself right
  CHECK(std::abs(gamma_cumulative(0.5, 0.3) - std::erf(std::sqrt(0.3))) < 1e-14);
  CHECK(std::abs(gamma_cumulative(3, 9) - (1 - std::exp(-9.0) * (1 + 9 + 40.5))) < 1e-14);
  for (const DType t : {f32, f64})
    for (const double a : {0.1, 0.7, 1.0, 2.5, 40.0, 3000.0}) {
      INFO(name_of(t) << ", " << a);
      const Tensor x = random::gamma({n}, a, 3, t, g);
      CHECK(x.type() == Type{t, {n}});
      CHECK(min(x).item() >= 0);
      CHECK(kolmogorov(x, [&](double v) { return gamma_cumulative(a, v / 3); }) < kolmogorov_bound);
      const Tensor z = cast(x, f64) / 3, mean = sum(z) / double(n);
      CHECK(std::abs(mean.item() - a) < 4 * std::sqrt(a / n));
      const double variance = sum(square(z - mean)).item() / n;  // whose own is a^2 (2 + 6 / a) / n
      CHECK(std::abs(variance - a) < 4 * a * std::sqrt((2 + 6 / a) / n));
    }
  CHECK(kolmogorov(random::gamma({n}, 2.5, 1, f64, g), [](double v) { return gamma_cumulative(2.4, v); }) > 5);
}

TEST_CASE("gamma takes a concentration for each element; its numbers are of one stream, apart from uniform's",
          "[random]") {
  random::Generator a(16), b(16);
  const Tensor concentrations = tensor<double>({0.3, 1, 50});
  const Tensor x = random::gamma(broadcast_to(concentrations, {50'000, 3}), a);
  for (std::int64_t i = 0; i < 3; ++i)
    CHECK(kolmogorov(slice_axis(x, 1, i, i + 1),
                     [&](double v) { return gamma_cumulative(concentrations.at({i}), v); }) < kolmogorov_bound);
  CHECK(a.state.value().to_vector<std::int64_t>() == std::vector<std::int64_t>{16, 150'000});  // a block an element
  // In two draws the same as in one, and element by element.
  const Tensor first = random::gamma(broadcast_to(concentrations, {2, 3}), b);
  const Tensor second = random::gamma({}, 0.3, 1, f64, b);
  CHECK_SAME(concat({reshape(first, {6}), reshape(second, {1})}),
             slice_axis(reshape(slice_axis(x, 0, 0, 3), {9}), 0, 0, 7));
  random::Generator c(16), d(16);
  CHECK_SAME(random::gamma(tensor<float>({2, 3}), c), cast(random::gamma(tensor<double>({2, 3}), d), f32));
  CHECK(all(isnan(random::gamma(tensor({0, -1, INFINITY, NAN}), c))).item<bool>());
  CHECK(min(random::gamma(full({100}, 1e-30, f64), c)).item() == 0);  // too small to be told from 0
  CHECK(random::gamma({0, 3}, 2, 1, f32, c).shape() == Shape{0, 3});
}

TEST_CASE("every distribution draws the same on one thread and several", "[random]") {
  const int before = num_threads();
  const std::function<Tensor(random::Generator&)> draws[] = {
      [](random::Generator& g) { return random::truncated_normal({70'001}, -1, 3, 0, 1, f32, g); },
      [](random::Generator& g) { return random::randint({70'001}, 0, 1000, i32, g); },
      [](random::Generator& g) { return random::bernoulli(broadcast_to(tensor(0.3), {70'001}), g); },
      [](random::Generator& g) { return random::categorical(zeros({7}), 10'001, g); },
      [](random::Generator& g) { return random::permutation(70'001, g); },
      [](random::Generator& g) { return random::gamma({70'001}, 0.6, 1, f32, g); },
  };
  for (const auto& draw : draws) {
    random::Generator a(1), b(1);
    set_num_threads(1);
    const Tensor one = draw(a);
    set_num_threads(before);
    CHECK_SAME(draw(b), one);
    CHECK(difference(draw(b), one) != "");  // the generator went on
  }
}

TEST_CASE("a bad distribution throws and leaves the generator as it was", "[random]") {
  random::Generator g(1);
  const Tensor state = g.state.value();
  CHECK_THROWS_AS(random::truncated_normal({2}, 2, 2, 0, 1, f32, g), ArgumentError);
  CHECK_THROWS_AS(random::truncated_normal({2}, -INFINITY, 2, 0, 1, f32, g), ArgumentError);
  CHECK_THROWS_AS(random::truncated_normal({2}, -1, 1, 0, 0, f32, g), ArgumentError);
  CHECK_THROWS_AS(random::truncated_normal({2}, 7, 8, 0, 1, f32, g), ArgumentError);  // hardly any mass
  CHECK_THROWS_AS(random::truncated_normal({2}, -1, 1, 0, 1, DType::bf16, g), DTypeError);
  CHECK_THROWS_AS(random::randint({2}, 3, 3, i64, g), ArgumentError);
  CHECK_THROWS_AS(random::randint({2}, INT64_MIN, INT64_MAX, i64, g), ArgumentError);
  CHECK_THROWS_AS(random::randint({2}, 0, 257, u8, g), ArgumentError);
  CHECK_THROWS_AS(random::randint({2}, 0, 2, f32, g), DTypeError);
  CHECK_THROWS_AS(random::randint({2}, 0, 2, DType::boolean, g), DTypeError);
  CHECK_THROWS_AS(random::randint({-2}, 0, 2, i64, g), ShapeError);
  CHECK_THROWS_AS(random::categorical(Tensor(), 1, g), ArgumentError);
  for (const double bad : {0.0, -1.0, double{INFINITY}, double{NAN}}) {
    CHECK_THROWS_AS(random::gamma({2}, bad, 1, f32, g), ArgumentError);
    CHECK_THROWS_AS(random::gamma({2}, 1, bad, f32, g), ArgumentError);
  }
  CHECK_THROWS_AS(random::gamma({2}, 1, 1, DType::bf16, g), DTypeError);
  CHECK_THROWS_AS(random::gamma({-2}, 1, 1, f32, g), ShapeError);
  CHECK_THROWS_AS(random::gamma(Tensor(), g), ArgumentError);
  CHECK(message_of<DTypeError>([&] { random::gamma(ones({2}, i64), g); }) ==
        "gamma: random numbers of i64\n  at HERE\n  hint: draw f32 and cast");
  CHECK(message_of<NumericsError>([&] {
          random::categorical(tensor({-INFINITY, NAN, 0}), 1, g);
        }) == "categorical: a logit is NaN: 1 of 3 elements are not finite; the first is nan at [1]\n  at HERE");
  CHECK_THROWS_AS(random::categorical(zeros({3}), -1, g), ArgumentError);
  CHECK_THROWS_AS(random::categorical(zeros({3, 0}), 1, g), ShapeError);
  CHECK_THROWS_AS(random::categorical(zeros({3}, i32), 1, g), DTypeError);
  CHECK_THROWS_AS(random::bernoulli(zeros({3}, i32), g), DTypeError);
  CHECK_SAME(g.state.value(), state);
}
