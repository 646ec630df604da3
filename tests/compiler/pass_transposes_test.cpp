// absorb_transposes, drawn.
#include <weft/compiler/transposes.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

const Type a{f32, {2, 3}}, b{f32, {3, 4}};

}  // namespace

TEST_CASE("transposes: a product that is only read transposed is the product of the transposes", "[pass][transposes]") {
  CHECK_DRAWN(drawn(absorb_transposes,
                    traced([](const Tensor& x, const Tensor& y) { return exp(transpose(matmul(x, y))); }, a, b)),
              R"(
%0 = input f32[2, 3]                      | %0 = input f32[2, 3]
%1 = input f32[3, 4]                      | %1 = input f32[3, 4]
%2 = matmul f32[2, 4] %0 %1               | %2 = transpose f32[4, 3] %1 {axes=[1, 0]}
%3 = transpose f32[4, 2] %2 {axes=[1, 0]} | %3 = transpose f32[3, 2] %0 {axes=[1, 0]}
%4 = exp f32[4, 2] %3                     | %4 = matmul f32[4, 2] %2 %3
return %4                                 | %5 = exp f32[4, 2] %4
                                          | return %5
)");
}

TEST_CASE("transposes: one that is read as it is, too, stays", "[pass][transposes]") {
  CHECK_DRAWN(drawn(absorb_transposes, traced(
                                           [](const Tensor& x, const Tensor& y) {
                                             const Tensor c = matmul(x, y), e = exp(c);
                                             return std::tuple(transpose(c), e);
                                           },
                                           a, b)),
              R"(
%0 = input f32[2, 3]
%1 = input f32[3, 4]
%2 = matmul f32[2, 4] %0 %1
%3 = exp f32[2, 4] %2
%4 = transpose f32[4, 2] %2 {axes=[1, 0]}
return %4 %3
(the same)
)");
}

TEST_CASE("transposes: attention writes its heads side by side where that is how they are read", "[pass][transposes]") {
  CHECK_DRAWN(drawn(absorb_transposes, traced(
                                           [](const Tensor& q) {
                                             const Tensor y = scaled_dot_product_attention(q, q, q, {.scale = 1});
                                             const Tensor e = exp(y);
                                             return std::tuple(reshape(swap_axes(y, 1, 2), {1, 4, 6}), e);
                                           },
                                           Type{f32, {1, 2, 4, 3}})),
              R"(
%0 = input f32[1, 2, 4, 3]                                                              | %0 = input f32[1, 2, 4, 3]
%1, %2 = attention f32[1, 2, 4, 3] %0 %0 %0 {scale=1, causal=false, heads_inside=false} | %1, %2 = attention f32[1, 4, 2, 3] %0 %0 %0 {scale=1, causal=false, heads_inside=true}
%3 = exp f32[1, 2, 4, 3] %1                                                             | %3 = transpose f32[1, 2, 4, 3] %1 {axes=[0, 2, 1, 3]}
%4 = transpose f32[1, 4, 2, 3] %1 {axes=[0, 2, 1, 3]}                                   | %4 = exp f32[1, 2, 4, 3] %3
%5 = reshape f32[1, 4, 6] %4 {shape=[1, 4, 6]}                                          | %5 = reshape f32[1, 4, 6] %1 {shape=[1, 4, 6]}
return %5 %3                                                                            | return %5 %4
)");
}

TEST_CASE("transposes: compiled attention and its gradients, heads side by side, are eager's to the bit",
          "[compile][transposes]") {
  const auto step = [](const Tensor& x) {
    const auto loss = [](const Tensor& t) {
      const Tensor heads = swap_axes(reshape(t, {2, 33, 3, 8}), 1, 2);
      const Tensor y = scaled_dot_product_attention(heads, heads * 2, sin(heads), {.causal = true});
      return sum(square(reshape(swap_axes(y, 1, 2), {2, 33, 24})));
    };
    return std::tuple(loss(x), grad(loss)(x), grad([&](const Tensor& t) { return sum(grad(loss)(t) * x); })(x));
  };
  const Tensor x = random::normal({2, 33, 24});
  const auto [loss, first, second] = step(x);
  auto compiled = compile(step);
  const auto [c_loss, c_first, c_second] = compiled(x);
  CHECK(bits_of(loss) == bits_of(c_loss));
  CHECK(bits_of(first) == bits_of(c_first));
  CHECK(bits_of(second) == bits_of(c_second));
  CHECK(compiled.dump("graph").find("heads_inside=true") != std::string::npos);
}

TEST_CASE("transposes: a product of 16 bits transposed has the bits of its transposition", "[compile][transposes]") {
  for (const DType t : {DType::bf16, DType::f16}) {
    const Tensor x = cast(random::normal({70, 131}), t), y = cast(random::normal({131, 90}), t);
    const auto turned = [](const Tensor& l, const Tensor& r) { return transpose(matmul(l, r)); };
    const Graph graph = absorb_transposes(traced(turned, x.type(), y.type()));
    CHECK(graph.nodes.back().op->name == "matmul");
    CHECK_SAME(compile(turned)(x, y), turned(x, y));
  }
}
