// spell_out_products, drawn, and its bits.
#include <weft/compiler/short_products.h>
#include <weft/weft.h>

#include <limits>

#include "drawn.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("short products: one of two terms is two fma's of columns and rows", "[pass][short]") {
  const Graph product =
      traced([](const Tensor& x, const Tensor& y) { return exp(matmul(x, y)); }, Type{f32, {4, 2}}, Type{f32, {2, 3}});
  CHECK_DRAWN("\n" + spell_out_products(product).text(), R"(
%0 = input f32[4, 2]
%1 = input f32[2, 3]
%2 = constant f32[] 0
%3 = broadcast_to f32[4, 3] %2 {shape=[4, 3]}
%4 = slice f32[4, 1] %0 {begin=[0, 0], step=[1, 1], size=[4, 1]}
%5 = broadcast_to f32[4, 3] %4 {shape=[4, 3]}
%6 = slice f32[1, 3] %1 {begin=[0, 0], step=[1, 1], size=[1, 3]}
%7 = broadcast_to f32[4, 3] %6 {shape=[4, 3]}
%8 = multiply_add f32[4, 3] %5 %7 %3
%9 = slice f32[4, 1] %0 {begin=[0, 1], step=[1, 1], size=[4, 1]}
%10 = broadcast_to f32[4, 3] %9 {shape=[4, 3]}
%11 = slice f32[1, 3] %1 {begin=[1, 0], step=[1, 1], size=[1, 3]}
%12 = broadcast_to f32[4, 3] %11 {shape=[4, 3]}
%13 = multiply_add f32[4, 3] %10 %12 %8
%14 = exp f32[4, 3] %13
return %14
)");
}

TEST_CASE("short products: four terms beside a vector of columns; sums of more, batches and integers stay products",
          "[pass][short]") {
  const auto stays = [](const Type& a, const Type& b) {
    const Graph graph = traced([](const Tensor& x, const Tensor& y) { return matmul(x, y); }, a, b);
    return spell_out_products(graph).text() == graph.text();
  };
  CHECK(!stays({f32, {8, 1}}, {f32, {1, 1}}));
  CHECK(stays({f32, {8, 2}}, {f32, {2, 1}}));
  CHECK(!stays({f64, {8, 3}}, {f64, {3, 15}}));
  CHECK(stays({f32, {8, 4}}, {f32, {4, 15}}));
  CHECK(!stays({f32, {8, 4}}, {f32, {4, 16}}));
  CHECK(stays({f32, {8, 5}}, {f32, {5, 16}}));
  CHECK(stays({f32, {8, 0}}, {f32, {0, 16}}));
  CHECK(stays({f32, {2, 8, 2}}, {f32, {2, 2, 16}}));
  CHECK(stays({i32, {8, 2}}, {i32, {2, 16}}));
  CHECK(stays({DType::bf16, {8, 2}}, {DType::bf16, {2, 16}}));
}

TEST_CASE("short products: the eager bits, of every layout, with zeros of both signs, infinities and NaN") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  random::Generator random(5);
  for (const DType type : {f32, f64}) {
    for (const std::int64_t k : {1, 2, 3, 4}) {
      for (const auto& [m, n] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 40}, {33, 1}, {7, 10}, {65, 48}}) {
        Tensor x = random::normal({m, k}, 0, 1, type, random), y = random::normal({k, n}, 0, 1, type, random);
        if (m == 7) {
          const Tensor odd = cast(tensor<double>({-0.0, inf, nan, 0.0, -inf, -0.0, 1.0}), type);
          x = where(random::bernoulli({m, k}, 0.4, random), reshape(odd, {7, 1}), x);
          y = where(random::bernoulli({k, n}, 0.2, random), full({}, -0.0, type), y);
        }
        const Tensor xt = contiguous(transpose(x)), yt = contiguous(transpose(y)),
                     b = random::normal({n}, 0, 1, type, random);
        const auto plain = [](const Tensor& a, const Tensor& c, const Tensor& d) { return tanh(matmul(a, c) + d); };
        const auto turned = [](const Tensor& a, const Tensor& c, const Tensor& d) {
          return tanh(matmul(transpose(a), transpose(c)) + d);
        };
        const auto slope = [&](const Tensor& a, const Tensor& c, const Tensor& d) {
          GradientTape tape;
          tape.watch(a), tape.watch(c);
          return tape.gradient(sum(plain(a, c, d)), std::tie(a, c));
        };
        INFO(name_of(type) << " " << m << "x" << k << "x" << n);
        const Tensor expected = plain(x, y, b);
        CHECK(bits_of(compile(plain)(x, y, b)) == bits_of(expected));
        CHECK(bits_of(compile(turned)(xt, yt, b)) == bits_of(expected));
        const auto [gx, gy] = slope(x, y, b);
        const auto [cx, cy] = compile(slope)(x, y, b);
        CHECK(bits_of(cx) == bits_of(gx));
        CHECK(bits_of(cy) == bits_of(gy));
      }
    }
  }
}
