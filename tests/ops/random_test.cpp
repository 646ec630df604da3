// Random tensors: a pure function of key and counter, on any number of threads, and distributed as promised.
#include <weft/ops/random.h>
#include <weft/ops/reduce.h>
#include <weft/tensor/parallel.h>
#include <weft/tensor/philox.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("uniform numbers are philox words of the generator's key and counter") {
  random::Generator g(42);
  const auto block0 = philox(42, 0, 0), block1 = philox(42, 0, 1), block2 = philox(42, 0, 2);
  const auto a = random::uniform({5}, 0, 1, f32, g).to_vector<float>();
  for (std::size_t i = 0; i < 4; ++i) CHECK(a[i] == static_cast<float>(block0[i] >> 8) * 0x1p-24f);
  CHECK(a[4] == static_cast<float>(block1[0] >> 8) * 0x1p-24f);
  CHECK(g.state.value().to_vector<std::int64_t>() == std::vector<std::int64_t>{42, 2});
  // the next draw starts a block of its own
  const double first = random::uniform({}, 0, 1, f64, g).item();
  CHECK(first == static_cast<double>((std::uint64_t{block2[0]} << 32 | block2[1]) >> 11) * 0x1p-53);
}

TEST_CASE("a seed gives the same numbers again, another seed others") {
  random::Generator a(7), b(7), c(8);
  const Tensor x = random::normal({100}, 0, 1, f32, a);
  CHECK_SAME(random::normal({100}, 0, 1, f32, b), x);
  CHECK(difference(random::normal({100}, 0, 1, f32, c), x) != "");
  CHECK(difference(random::normal({100}, 0, 1, f32, a), x) != "");
  a.seed(7);
  CHECK_SAME(random::normal({100}, 0, 1, f32, a), x);
  random::seed(3);
  const Tensor y = random::uniform({4});
  random::seed(3);
  CHECK_SAME(random::uniform({4}), y);
}

TEST_CASE("one thread and two draw the same numbers") {
  const int before = num_threads();
  random::Generator a(1), b(1);
  set_num_threads(1);
  const Tensor one = random::normal({70'001}, 0, 1, f32, a);
  set_num_threads(std::min(2, before));
  CHECK_SAME(random::normal({70'001}, 0, 1, f32, b), one);
  set_num_threads(before);
}

TEST_CASE("uniform, normal and bernoulli have their moments and their range") {
  random::Generator g(5);
  constexpr double n = 100'000;
  for (DType t : {f32, f64}) {
    const auto u = random::uniform({100'000}, -2, 3, t, g).to_vector<double>();
    double mean = 0, square = 0, cube = 0, fourth = 0;
    for (double x : u) {
      CHECK((x >= -2 && x <= 3));
      mean += x / n;
      square += (x - 0.5) * (x - 0.5) / n;
    }
    CHECK(std::abs(mean - 0.5) < 0.02);
    CHECK(std::abs(square - 25.0 / 12) < 0.03);
    const auto z = random::normal({100'000}, 1, 2, t, g).to_vector<double>();
    mean = square = 0;
    for (double x : z) {
      const double s = (x - 1) / 2;
      CHECK(std::isfinite(x));
      mean += s / n;
      square += s * s / n;
      cube += s * s * s / n;
      fourth += s * s * s * s / n;
    }
    CHECK(std::abs(mean) < 0.015);
    CHECK(std::abs(square - 1) < 0.02);
    CHECK(std::abs(cube) < 0.04);
    CHECK(std::abs(fourth - 3) < 0.12);
  }
  CHECK(std::abs(sum(cast(random::bernoulli({100'000}, 0.3, g), f32)).item() / n - 0.3) < 0.01);
  CHECK(sum(cast(random::bernoulli({1000}, 0, g), f32)).item() == 0);
  CHECK(sum(cast(random::bernoulli({1000}, 1, g), f32)).item() == 1000);
}

TEST_CASE("successive draws do not overlap, and are not correlated") {
  random::Generator g(9);
  const auto a = random::uniform({10'000}, -1, 1, f64, g).to_vector<double>(),
             b = random::uniform({10'000}, -1, 1, f64, g).to_vector<double>();
  double across = 0, along = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    across += a[i] * b[i] / 1e4;
    if (i) along += a[i] * a[i - 1] / 1e4;
  }
  CHECK(std::abs(across) < 0.015);
  CHECK(std::abs(along) < 0.015);
}

TEST_CASE("a bad draw throws and leaves the generator as it was") {
  random::Generator g(1);
  const Tensor state = g.state.value();
  CHECK_THROWS_AS(random::uniform({-1}, 0, 1, f32, g), ShapeError);
  CHECK_THROWS_AS(random::uniform({2}, 0, 1, i32, g), DTypeError);
  CHECK_THROWS_AS(random::uniform({std::int64_t{1} << 32, std::int64_t{1} << 32}, 0, 1, f32, g), ShapeError);
  CHECK_THROWS_AS(random::uniform({2}, -3e38, 3e38, f32, g), ArgumentError);
  CHECK_THROWS_AS(random::uniform({2}, 0, 1e39, f32, g), ArgumentError);
  CHECK_THROWS_AS(random::normal({2}, 0, 1e39, f32, g), ArgumentError);
  CHECK_NOTHROW(random::uniform({0}, -3e38, 3e38, f64, g));
  CHECK_THROWS_AS(random::bernoulli({2}, 1.5, g), ArgumentError);
  CHECK_THROWS_AS(random::bernoulli({2}, NAN, g), ArgumentError);
  CHECK_SAME(g.state.value(), state);
  CHECK(random::uniform({0, 3}, 0, 1, f32, g).size() == 0);
  CHECK_SAME(g.state.value(), state);
}
