// bf16 and f16 in fused loops: computed in f32, rounded after each op as eager code does.
#include "../catch.h"
#include "../support.h"

#include <weft/weft.h>

using namespace weft;
using test::difference;

namespace {

constexpr DType halves[] = {DType::bf16, DType::f16};

// Every 16-bit pattern: all values, subnormals, infinities and NaNs.
Tensor all_values(DType t) {
  const Tensor words = full({1 << 16}, 0.0, t);
  for (std::uint32_t bits = 0; bits < 1 << 16; ++bits) {
    const auto word = static_cast<std::uint16_t>(bits);
    std::memcpy(static_cast<std::byte*>(words.view().data) + 2 * bits, &word, 2);
  }
  return words;
}

}  // namespace

TEST_CASE("the code of minima and maxima of f16 in row values calls what the linker knows", "[compile][half]") {
  const Tensor x = cast(random::normal({7, 300}), DType::f16);
  const auto f = [](const Tensor& t) { return t / fmin(fmax(abs(sum(t, 1, true)) + 1, 2), 4); };
  auto compiled = compile(f);
  Tensor found;
  CHECK(test::written_by([&] { found = compiled(x); }) == "");
  CHECK(difference(found, f(x)) == "");
}

TEST_CASE("a chain of ops on bf16 or f16 is one loop, and rounds after each op", "[compile][half]") {
  for (const DType t : halves) {
    const Tensor x = all_values(t), y = flip(x, 0);
    const auto chain = [](const Tensor& a, const Tensor& b) { return tanh(a * b + a) / (exp(b) - a); };
    auto fused = compile(chain);
    CHECK(difference(fused(x, y), chain(x, y)) == "");
    CHECK(fused.stats().kernels == 1);

    // One rounding less would show: 1 + 2^-8 + 2^-8 in f32 is another bf16.
    const double tiny = t == DType::bf16 ? 0x1p-8 : 0x1p-11;
    const auto twice = [](const Tensor& a, const Tensor& b) { return a + b + b; };
    CHECK(compile(twice)(full({20}, 1.0, t), full({20}, tiny, t)).at({3}) == 1.0);
  }
}

TEST_CASE("a sum of a long row of bf16 or f16 is rounded once, after its blocks", "[compile][half]") {
  for (const DType t : halves)
    for (const std::int64_t n : {100, 4096, 5000, 70000}) {
      const Tensor x = cast(sin(arange(0, static_cast<double>(n), 1, f32)), t);
      const auto both = [](const Tensor& a) { return std::pair{sum(a * a), exp(mean(a))}; };
      const auto [squares, m] = compile(both)(x);
      CHECK(difference(squares, both(x).first) == "");
      CHECK(difference(m, both(x).second) == "");
    }
}

TEST_CASE("casts to and from bf16 and f16 fuse with what is around them", "[compile][half]") {
  for (const DType t : halves) {
    const Tensor x = linspace(-300, 300, 1001, f32), m = zeros({1001});
    const auto update = [t](const Tensor& w, const Tensor& g) {
      const Tensor next = w - 0.1 * cast(cast(g, t) * 3, f32);
      return std::pair{next, cast(next, t)};
    };
    auto fused = compile(update);
    const auto [next, half] = fused(m, x);
    CHECK(fused.stats().kernels == 1);
    CHECK(difference(next, update(m, x).first) == "");
    CHECK(difference(half, update(m, x).second) == "");
  }
}
