// Products whose loops take them strip by strip give the bits of those that are stored.
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

Tensor numbers(const Shape& shape, std::uint64_t seed) {
  random::Generator generator(seed);
  return random::uniform(shape, -1, 1, f32, generator);
}

bool attached(const std::string& plan) { return plan.find("strip by strip") != std::string::npos; }

}  // namespace

TEST_CASE("a step whose updates take their gradients from the product is the eager step",
          "[compile][epilogues][once]") {
  // Rows and columns of no round number; the second layer's k is no multiple of a tile.
  const Tensor x = numbers({130, 1030}, 1), y = numbers({130, 1001}, 2);
  const auto run = [&](bool compiled) {
    Variable w1(numbers({1030, 2050}, 3)), w2(numbers({2050, 1001}, 4)), m1(zeros({1030, 2050})),
        m2(zeros({2050, 1001}));
    const auto step = [&](const Tensor& a, const Tensor& b) {
      GradientTape tape;
      const Tensor h = relu(matmul(a, w1)), loss = mean(square(matmul(h, w2) - b));
      const auto [g1, g2] = tape.gradient(loss, std::tie(w1, w2));
      m1.assign(0.9 * m1 + g1);
      m2.assign(0.9 * m2 + g2);
      w1.assign_sub(0.1 * m1.value());
      w2.assign_sub(0.1 * m2.value());
      return loss;
    };
    std::vector<Tensor> all;
    auto fast = compile(step);
    for (int i = 0; i < 3; ++i) all.push_back(compiled ? fast(x, y) : step(x, y));
    if (compiled) CHECK(attached(fast.dump("plan")));
    for (const Variable* v : {&w1, &w2, &m1, &m2}) all.push_back(v->value());
    return all;
  };
  const std::vector<Tensor> eager = run(false), fast = run(true);
  for (std::size_t k = 0; k < eager.size(); ++k) CHECK_SAME(fast[k], eager[k]);
}

TEST_CASE("a loop over a product's rows takes biases, columns and scalars as they are", "[compile][epilogues][once]") {
  const Tensor x = numbers({4500, 70}, 1), w = numbers({70, 1100}, 2), bias = numbers({1100}, 3),
               scale = numbers({4500, 1}, 4);
  const auto layer = [](const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& s) {
    return tanh(matmul(a, b) + c) * s + 0.5;
  };
  auto fast = compile(layer);
  CHECK_SAME(fast(x, w, bias, scale), layer(x, w, bias, scale));
  CHECK(attached(fast.dump("plan")));
}

TEST_CASE("a gradient in bf16 is rounded before its update takes it", "[compile][epilogues][once]") {
  const Tensor x = cast(numbers({131, 2049}, 1), DType::bf16), y = cast(numbers({131, 2500}, 2), DType::bf16);
  const auto run = [&](bool compiled) {
    Variable w(numbers({2049, 2500}, 3)), m(numbers({2049, 2500}, 4));
    const auto step = [&](const Tensor& a, const Tensor& b) {
      const Tensor g = cast(matmul(transpose(a), b), f32);
      m.assign(0.9 * m + g);
      w.assign_sub(0.1 * m.value());
      return sum(cast(w, DType::bf16));
    };
    auto fast = compile(step);
    for (int i = 0; i < 2; ++i) compiled ? fast(x, y) : step(x, y);
    return std::pair(w.value(), m.value());
  };
  const auto [w, m] = run(true);
  const auto [eager_w, eager_m] = run(false);
  CHECK_SAME(w, eager_w);
  CHECK_SAME(m, eager_m);
}

TEST_CASE("a step that fails after a product went to its update leaves the variable alone",
          "[compile][epilogues][once]") {
  const Tensor x = numbers({128, 2048}, 1), y = numbers({128, 3000}, 2);
  Variable w(numbers({2048, 3000}, 3));
  auto step = compile([&](const Tensor& a, const Tensor& b, const Tensor& i) {
    w.assign_sub(matmul(transpose(a), b));
    return gather(a, i, 0);
  });
  const Tensor before = w.value() + 0;
  CHECK_THROWS_AS(step(x, y, cast(tensor({5000}), i64)), IndexError);
  CHECK_SAME(w.value(), before);
  step(x, y, cast(tensor({5}), i64));
  CHECK(attached(step.dump("plan")));
  CHECK_SAME(w.value(), before - matmul(transpose(x), y));
}
