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
  other * other + 3;
  CHECK(tape.size() == 0);
  const auto before = live_tensors();
  Tensor y = x + other;
  y = y + other;
  y = -y;
  CHECK(tape.size() == 3);
  CHECK(live_tensors() == before + 1);  // y alone: add and neg read nothing
}
