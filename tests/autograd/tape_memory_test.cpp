// GradientTape: what it keeps and for how long, and how large it may grow.
#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("a million ops deep, without recursion", "[tape][bad-input.21]") {
  const NoLeaks guard;
  const Tensor x = scalar(1);
  GradientTape tape;
  tape.watch(x);
  Tensor y = x;
  for (int i = 0; i < 500'000; ++i) y = -(y * 1.0);
  CHECK(tape.size() == 1'000'000);
  CHECK_GRADIENT(tape.gradient(y, x), 1);
}

TEST_CASE("an op of very many inputs gives each its gradient", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(2), y = scalar(1);
  GradientTape tape;
  tape.watch(x, y);
  std::vector<Tensor> parts(70'000, expand(x, 0));
  parts.back() = expand(y, 0);
  const auto [dx, dy] = tape.gradient(concat(parts), x, y);
  CHECK_GRADIENT(dx, 69'999);
  CHECK_GRADIENT(dy, 1);
}

TEST_CASE("a gradient frees each cotangent once it is used", "[tape]") {
  const NoLeaks guard;
  const Tensor x = ones({100'000});
  GradientTape tape;
  tape.watch(x);
  Tensor y = x;
  for (int i = 0; i < 50; ++i) y = -y;
  reset_peak_memory();
  const auto before = memory_stats().live_bytes;
  CHECK(tape.gradient(y, x).defined());
  CHECK(memory_stats().peak_bytes - before < 5 * 400'000);
}

TEST_CASE("the tape keeps only what depends on something watched, and only what rules read", "[tape]") {
  const NoLeaks guard;
  const Tensor x = scalar(1), other = scalar(1);
  GradientTape tape;
  tape.watch(x);
  other* other + 3;
  CHECK(tape.size() == 0);
  const auto before = live_tensors();
  Tensor y = x + other;
  y = y + other;
  y = -y;
  CHECK(tape.size() == 3);
  CHECK(live_tensors() == before + 1);  // y alone: add and neg read nothing
}

TEST_CASE("a million ops take no more than 200 bytes of tape each beside what rules keep", "[tape][memory]") {
  const NoLeaks guard;
  const Tensor x = scalar(1);
  for (const int n : {1 << 12, (1 << 18) + 1, 1'000'000}) {  // one just after lists have grown
    GradientTape tape;
    tape.watch(x);
    Tensor y = x;
    for (int i = 0; i < n; ++i) y = y + x;  // two inputs, nothing saved
    REQUIRE(tape.size() == static_cast<std::size_t>(n));
    CHECK(static_cast<double>(tape.bytes()) / n <= 200);
    const auto tensors = live_tensors();
    CHECK_GRADIENT(tape.gradient(y, x), static_cast<double>(n) + 1);
    CHECK(live_tensors() <= tensors);
    CHECK(tape.bytes() < 1000);
  }
}

TEST_CASE("gradient() frees what rules read as it goes, and everything when it is done", "[tape][memory]") {
  const NoLeaks guard;
  const Tensor x = ones({100'000});
  GradientTape tape;
  tape.watch(x);
  Tensor y = x;
  for (int i = 0; i < 20; ++i) y = exp(y * 0.0);  // each saves its result
  const auto before = memory_stats().live_bytes;
  REQUIRE(tape.size() == 40);
  reset_peak_memory();
  const Tensor dx = tape.gradient(y, x);
  CHECK(memory_stats().peak_bytes - before < 3 * 400'000);  // no second set beside the saved
  y = {};
  CHECK(memory_stats().live_bytes < before - 18 * 400'000);
}

TEST_CASE("a persistent tape keeps all until it dies", "[tape][memory]") {
  const NoLeaks guard;
  const Tensor x = ones({1000});
  const auto before = live_tensors();
  {
    GradientTape tape({.persistent = true});
    tape.watch(x);
    Tensor y = exp(exp(x));
    tape.stop();
    const auto ops = tape.size();
    for (int i = 0; i < 3; ++i) tape.gradient(y, x);
    CHECK(tape.size() == ops);
  }
  CHECK(live_tensors() == before);
}
