// turn_late, drawn: nets with channels first compute with channels last. exp stands for a convolution, whose attributes
// would fill the line: its operand and its result have the channels last.
#include <weft/compiler/layouts.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

const Type last{f32, {1, 4, 4, 2}}, first{f32, {1, 2, 4, 4}};

Tensor to_last(const Tensor& x) { return transpose(x, {0, 2, 3, 1}); }
Tensor to_first(const Tensor& x) { return transpose(x, {0, 3, 1, 2}); }

}  // namespace

TEST_CASE("layouts: what is elementwise between two convolutions comes before the turn, which then meets its opposite",
          "[pass][layouts]") {
  CHECK_DRAWN(drawn(turn_late, traced([](const Tensor& x) { return exp(to_last(sin(to_first(exp(x))))); }, last)),
              R"(
%0 = input f32[1, 4, 4, 2]                            | %0 = input f32[1, 4, 4, 2]
%1 = exp f32[1, 4, 4, 2] %0                           | %1 = exp f32[1, 4, 4, 2] %0
%2 = transpose f32[1, 2, 4, 4] %1 {axes=[0, 3, 1, 2]} | %2 = transpose f32[1, 2, 4, 4] %1 {axes=[0, 3, 1, 2]}
%3 = sin f32[1, 2, 4, 4] %2                           | %3 = sin f32[1, 4, 4, 2] %1
%4 = transpose f32[1, 4, 4, 2] %3 {axes=[0, 2, 3, 1]} | %4 = transpose f32[1, 2, 4, 4] %3 {axes=[0, 3, 1, 2]}
%5 = exp f32[1, 4, 4, 2] %4                           | %5 = transpose f32[1, 4, 4, 2] %4 {axes=[0, 2, 3, 1]}
return %5                                             | %6 = exp f32[1, 4, 4, 2] %5
                                                      | return %6
)");
}

TEST_CASE("layouts: what is computed in f32 between two bf16 convolutions comes before the turn with its casts",
          "[pass][layouts]") {
  CHECK_DRAWN(drawn(turn_late, traced(
                                   [](const Tensor& x) {
                                     const Tensor wide = cast(to_first(exp(x)), f32);
                                     return exp(to_last(cast(sin(wide), DType::bf16)));
                                   },
                                   Type{DType::bf16, last.shape})),
              R"(
%0 = input bf16[1, 4, 4, 2]                            | %0 = input bf16[1, 4, 4, 2]
%1 = exp bf16[1, 4, 4, 2] %0                           | %1 = exp bf16[1, 4, 4, 2] %0
%2 = transpose bf16[1, 2, 4, 4] %1 {axes=[0, 3, 1, 2]} | %2 = transpose bf16[1, 2, 4, 4] %1 {axes=[0, 3, 1, 2]}
%3 = cast f32[1, 2, 4, 4] %2 {dtype=f32}               | %3 = cast f32[1, 4, 4, 2] %1 {dtype=f32}
%4 = sin f32[1, 2, 4, 4] %3                            | %4 = transpose f32[1, 2, 4, 4] %3 {axes=[0, 3, 1, 2]}
%5 = cast bf16[1, 2, 4, 4] %4 {dtype=bf16}             | %5 = sin f32[1, 4, 4, 2] %3
%6 = transpose bf16[1, 4, 4, 2] %5 {axes=[0, 2, 3, 1]} | %6 = transpose f32[1, 2, 4, 4] %5 {axes=[0, 3, 1, 2]}
%7 = exp bf16[1, 4, 4, 2] %6                           | %7 = cast bf16[1, 4, 4, 2] %5 {dtype=bf16}
return %7                                              | %8 = transpose bf16[1, 2, 4, 4] %7 {axes=[0, 3, 1, 2]}
                                                       | %9 = transpose bf16[1, 4, 4, 2] %8 {axes=[0, 2, 3, 1]}
                                                       | %10 = exp bf16[1, 4, 4, 2] %9
                                                       | return %10
)");
}

TEST_CASE("layouts: another operand is turned to meet it", "[pass][layouts]") {
  CHECK_DRAWN(
      drawn(turn_late,
            traced([](const Tensor& x, const Tensor& y) { return exp(to_last(to_first(exp(x)) * y)); }, last, first)),
      R"(
%0 = input f32[1, 4, 4, 2]                            | %0 = input f32[1, 4, 4, 2]
%1 = input f32[1, 2, 4, 4]                            | %1 = input f32[1, 2, 4, 4]
%2 = exp f32[1, 4, 4, 2] %0                           | %2 = exp f32[1, 4, 4, 2] %0
%3 = transpose f32[1, 2, 4, 4] %2 {axes=[0, 3, 1, 2]} | %3 = transpose f32[1, 2, 4, 4] %2 {axes=[0, 3, 1, 2]}
%4 = mul f32[1, 2, 4, 4] %3 %1                        | %4 = transpose f32[1, 4, 4, 2] %1 {axes=[0, 2, 3, 1]}
%5 = transpose f32[1, 4, 4, 2] %4 {axes=[0, 2, 3, 1]} | %5 = mul f32[1, 4, 4, 2] %2 %4
%6 = exp f32[1, 4, 4, 2] %5                           | %6 = transpose f32[1, 2, 4, 4] %5 {axes=[0, 3, 1, 2]}
return %6                                             | %7 = transpose f32[1, 4, 4, 2] %6 {axes=[0, 2, 3, 1]}
                                                      | %8 = exp f32[1, 4, 4, 2] %7
                                                      | return %8
)");
}

TEST_CASE("layouts: a result of the function stays as it is", "[pass][layouts]") {
  CHECK_DRAWN(drawn(turn_late, traced([](const Tensor& x) { return sin(to_first(exp(x))); }, last)), R"(
%0 = input f32[1, 4, 4, 2]
%1 = exp f32[1, 4, 4, 2] %0
%2 = transpose f32[1, 2, 4, 4] %1 {axes=[0, 3, 1, 2]}
%3 = sin f32[1, 2, 4, 4] %2
return %3
(the same)
)");
}

TEST_CASE("layouts: what only a result is computed from stays with it", "[pass][layouts]") {
  CHECK_DRAWN(drawn(turn_late, traced([](const Tensor& x) { return relu(sin(to_first(exp(x)))); }, last)), R"(
%0 = input f32[1, 4, 4, 2]
%1 = exp f32[1, 4, 4, 2] %0
%2 = transpose f32[1, 2, 4, 4] %1 {axes=[0, 3, 1, 2]}
%3 = sin f32[1, 2, 4, 4] %2
%4 = constant f32[] 0
%5 = broadcast_to f32[1, 2, 4, 4] %4 {shape=[1, 2, 4, 4]}
%6 = less_equal bool[1, 2, 4, 4] %3 %5
%7 = where f32[1, 2, 4, 4] %6 %5 %3
return %7
(the same)
)");
}

TEST_CASE("layouts: an input that is turned is turned by whoever gave it: there is no convolution to meet",
          "[pass][layouts]") {
  CHECK_DRAWN(drawn(turn_late, traced([](const Tensor& x) { return sum(sin(to_first(x))); }, last)), R"(
%0 = input f32[1, 4, 4, 2]
%1 = transpose f32[1, 2, 4, 4] %0 {axes=[0, 3, 1, 2]}
%2 = sin f32[1, 2, 4, 4] %1
%3 = sum f32[] %2 {begin=0, end=4}
return %3
(the same)
)");
}

TEST_CASE("layouts: transposed matrices have no channels", "[pass][layouts]") {
  CHECK_DRAWN(drawn(turn_late, traced(
                                   [](const Tensor& x) {
                                     return sum(sin(transpose(exp(x), {0, 2, 1})));
                                   },
                                   Type{f32, {2, 3, 4}})),
              R"(
%0 = input f32[2, 3, 4]
%1 = exp f32[2, 3, 4] %0
%2 = transpose f32[2, 4, 3] %1 {axes=[0, 2, 1]}
%3 = sin f32[2, 4, 3] %2
%4 = sum f32[] %3 {begin=0, end=3}
return %4
(the same)
)");
}
