// What is kept of a step, drawn: to the left a graph whose last inputs are variables, to the right what a call
// computes. A kept value is an input there; where the step writes its variable, the value's next state is a result.
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

const Type x4{f32, {4, 4}}, half4{DType::bf16, {4, 4}};

Tensor half(const Tensor& x) { return cast(x, DType::bf16); }

}  // namespace

TEST_CASE("kept: the 16-bit copy of a weight that a product reads", "[pass][kept]") {
  CHECK_DRAWN(drawn_kept(traced([](const Tensor& x, const Tensor& w) { return matmul(x, half(w)); }, half4, x4), 1), R"(
%0 = input bf16[4, 4]                | %0 = input bf16[4, 4]
%1 = input f32[4, 4]                 | %1 = input f32[4, 4]
%2 = cast bf16[4, 4] %1 {dtype=bf16} | %2 = input bf16[4, 4]
%3 = matmul bf16[4, 4] %0 %2         | %3 = matmul bf16[4, 4] %0 %2
return %3                            | return %3
                                     | kept %2 = cast of %1: computed outside the step
)");
}

TEST_CASE("kept: where the step updates the weight, the copy's next state comes with it", "[pass][kept]") {
  const Graph step = traced(
      [](const Tensor& x, const Tensor& w) {
        const Tensor y = matmul(x, half(w));
        return std::pair{y, w - 0.1 * cast(y, f32)};
      },
      half4, x4);
  CHECK_DRAWN(drawn_kept(step, 1, 1), R"(
%0 = input bf16[4, 4]                         | %0 = input bf16[4, 4]
%1 = input f32[4, 4]                          | %1 = input f32[4, 4]
%2 = cast bf16[4, 4] %1 {dtype=bf16}          | %2 = input bf16[4, 4]
%3 = matmul bf16[4, 4] %0 %2                  | %3 = constant f32[] 0.100000001
%4 = cast f32[4, 4] %3 {dtype=f32}            | %4 = matmul bf16[4, 4] %0 %2
%5 = constant f32[] 0.100000001               | %5 = cast f32[4, 4] %4 {dtype=f32}
%6 = broadcast_to f32[4, 4] %5 {shape=[4, 4]} | %6 = broadcast_to f32[4, 4] %3 {shape=[4, 4]}
%7 = mul f32[4, 4] %6 %4                      | %7 = mul f32[4, 4] %6 %5
%8 = sub f32[4, 4] %1 %7                      | %8 = sub f32[4, 4] %1 %7
return %3 %8                                  | %9 = cast bf16[4, 4] %8 {dtype=bf16}
                                              | return %4 %8 %9
                                              | kept %2 = cast of %1: computed by the loop of the update
)");
  CHECK_DRAWN(drawn_plan(step, 1), R"(
%0 = input bf16[4, 4]                         | step 0: matmul %0 %2 -> %4
%1 = input f32[4, 4]                          | step 1: kernel, 1 segment %4 %3 %1 -> %8 -> %9
%2 = cast bf16[4, 4] %1 {dtype=bf16}          | variable 0: in place
%3 = matmul bf16[4, 4] %0 %2                  | kept 0: in place
%4 = cast f32[4, 4] %3 {dtype=f32}            | kept 32 bytes
%5 = constant f32[] 0.100000001               | arena 0 bytes
%6 = broadcast_to f32[4, 4] %5 {shape=[4, 4]} |
%7 = mul f32[4, 4] %6 %4                      |
%8 = sub f32[4, 4] %1 %7                      |
return %3 %8                                  |
)");
}

TEST_CASE("kept: views of what is kept are still views", "[pass][kept]") {
  CHECK_DRAWN(
      drawn_kept(traced([](const Tensor& x, const Tensor& w) { return matmul(x, transpose(half(w))); }, half4, x4), 1),
      R"(
%0 = input bf16[4, 4]                      | %0 = input bf16[4, 4]
%1 = input f32[4, 4]                       | %1 = input f32[4, 4]
%2 = cast bf16[4, 4] %1 {dtype=bf16}       | %2 = input bf16[4, 4]
%3 = transpose bf16[4, 4] %2 {axes=[1, 0]} | %3 = transpose bf16[4, 4] %2 {axes=[1, 0]}
%4 = matmul bf16[4, 4] %0 %3               | %4 = matmul bf16[4, 4] %0 %3
return %4                                  | return %4
                                           | kept %2 = cast of %1: computed outside the step
)");
}

TEST_CASE("kept: what is made of variables alone is kept as a whole, not in parts", "[pass][kept]") {
  CHECK_DRAWN(drawn_kept(traced(
                             [](const Tensor& x, const Tensor& w, const Tensor& v) {
                               return matmul(x, concat({half(w), half(matmul(w, v))}, 1));
                             },
                             half4, x4, x4),
                         2),
              R"(
%0 = input bf16[4, 4]                 | %0 = input bf16[4, 4]
%1 = input f32[4, 4]                  | %1 = input f32[4, 4]
%2 = input f32[4, 4]                  | %2 = input f32[4, 4]
%3 = cast bf16[4, 4] %1 {dtype=bf16}  | %3 = input bf16[4, 8]
%4 = matmul f32[4, 4] %1 %2           | %4 = matmul bf16[4, 8] %0 %3
%5 = cast bf16[4, 4] %4 {dtype=bf16}  | return %4
%6 = concat bf16[4, 8] %3 %5 {axis=1} | kept %3 = concat of %1, %2: computed outside the step
%7 = matmul bf16[4, 8] %0 %6          |
return %7                             |
)");
}

TEST_CASE("kept: a copied turn and a reduction of weights", "[pass][kept]") {
  CHECK_DRAWN(drawn_kept(traced([](const Tensor& x, const Tensor& w) { return x * reshape(transpose(w), {16}); },
                                Type{f32, {16}}, x4),
                         1),
              R"(
%0 = input f32[16]                        | %0 = input f32[16]
%1 = input f32[4, 4]                      | %1 = input f32[4, 4]
%2 = transpose f32[4, 4] %1 {axes=[1, 0]} | %2 = input f32[16]
%3 = reshape f32[16] %2 {shape=[16]}      | %3 = mul f32[16] %0 %2
%4 = mul f32[16] %0 %3                    | return %3
return %4                                 | kept %2 = reshape of %1: computed outside the step
)");
  CHECK_DRAWN(drawn_kept(traced([](const Tensor& x, const Tensor& w) { return x * sum(w, 0); }, x4, x4), 1), R"(
%0 = input f32[4, 4]                          | %0 = input f32[4, 4]
%1 = input f32[4, 4]                          | %1 = input f32[4, 4]
%2 = sum f32[4] %1 {begin=0, end=1}           | %2 = input f32[4]
%3 = broadcast_to f32[4, 4] %2 {shape=[4, 4]} | %3 = broadcast_to f32[4, 4] %2 {shape=[4, 4]}
%4 = mul f32[4, 4] %0 %3                      | %4 = mul f32[4, 4] %0 %3
return %4                                     | return %4
                                              | kept %2 = sum of %1: computed outside the step
)");
}

TEST_CASE("kept: what is made of constants, once, also together with variables", "[pass][kept]") {
  const Type x1{f32, {1, 100}}, square{f32, {100, 100}};
  const auto squares = [](int n) { return matmul(full({n, n}, 2.0), full({n, n}, 3.0)); };
  CHECK_DRAWN(drawn_kept(traced([&](const Tensor& x) { return matmul(x, squares(100)); }, x1), 0), R"(
%0 = input f32[1, 100]          | %0 = input f32[1, 100]
%1 = constant f32[100, 100]     | %1 = input f32[100, 100]
%2 = constant f32[100, 100]     | %2 = matmul f32[1, 100] %0 %1
%3 = matmul f32[100, 100] %1 %2 | return %2
%4 = matmul f32[1, 100] %0 %3   | kept %1 = matmul of constants: computed once
return %4                       |
)");
  CHECK_DRAWN(
      drawn_kept(
          traced([&](const Tensor& x, const Tensor& w) { return matmul(x, matmul(w, squares(100))); }, x1, square), 1),
      R"(
%0 = input f32[1, 100]          | %0 = input f32[1, 100]
%1 = input f32[100, 100]        | %1 = input f32[100, 100]
%2 = constant f32[100, 100]     | %2 = input f32[100, 100]
%3 = constant f32[100, 100]     | %3 = matmul f32[1, 100] %0 %2
%4 = matmul f32[100, 100] %2 %3 | return %3
%5 = matmul f32[100, 100] %1 %4 | kept %2 = matmul of %1: computed outside the step
%6 = matmul f32[1, 100] %0 %5   |
return %6                       |
)");
}

TEST_CASE("not kept: what a function of constants alone computes", "[pass][kept]") {
  CHECK_DRAWN(drawn_kept(traced([] {
                           return matmul(full({100, 100}, 2.0), full({100, 100}, 3.0));
                         }),
                         0),
              R"(
%0 = constant f32[100, 100]
%1 = constant f32[100, 100]
%2 = matmul f32[100, 100] %0 %1
return %2
(the same)
)");
}

TEST_CASE("not kept: what goes into the loop that reads it, which costs no memory", "[pass][kept]") {
  CHECK_DRAWN(drawn_kept(traced([](const Tensor& x, const Tensor& w) { return x + exp(w); }, x4, x4), 1), R"(
%0 = input f32[4, 4]
%1 = input f32[4, 4]
%2 = exp f32[4, 4] %1
%3 = add f32[4, 4] %0 %2
return %3
(the same)
)");
}

TEST_CASE("not kept: a result of the function, and what an op overwrites", "[pass][kept]") {
  CHECK_DRAWN(drawn_kept(traced([](const Tensor& w) { return half(w); }, x4), 1), R"(
%0 = input f32[4, 4]
%1 = cast bf16[4, 4] %0 {dtype=bf16}
return %1
(the same)
)");
  CHECK_DRAWN(
      drawn_kept(traced([](const Tensor& i, const Tensor& x, const Tensor& w) { return scatter_add(exp(w), i, x); },
                        Type{i64, {4}}, x4, x4),
                 1),
      R"(
%0 = input i64[4]
%1 = input f32[4, 4]
%2 = input f32[4, 4]
%3 = exp f32[4, 4] %2
%4 = scatter_add f32[4, 4] %3 %0 %1 {axis=0}
return %4
(the same)
)");
}

TEST_CASE("not kept: a single element, which is sooner computed than looked up", "[pass][kept]") {
  CHECK_DRAWN(
      drawn_kept(traced([](const Tensor& x, const Tensor& rate) { return x * exp(rate); }, x4, Type{f32, {}}), 1),
      R"(
%0 = input f32[4, 4]
%1 = input f32[]
%2 = exp f32[] %1
%3 = broadcast_to f32[4, 4] %2 {shape=[4, 4]}
%4 = mul f32[4, 4] %0 %3
return %4
(the same)
)");
}

TEST_CASE("not kept: what takes more memory than its variables by far", "[pass][kept]") {
  CHECK_DRAWN(drawn_kept(traced([](const Tensor& x, const Tensor& w) { return matmul(x, matmul(w, transpose(w))); },
                                Type{f32, {4, 200}}, Type{f32, {200, 5}}),
                         1),
              R"(
%0 = input f32[4, 200]
%1 = input f32[200, 5]
%2 = transpose f32[5, 200] %1 {axes=[1, 0]}
%3 = matmul f32[200, 200] %1 %2
%4 = matmul f32[4, 200] %0 %3
return %4
(the same)
)");
}

TEST_CASE("not kept: of a weight that the step updates, what the update's loop does not have at hand", "[pass][kept]") {
  CHECK_DRAWN(drawn_kept(traced(
                             [](const Tensor& x, const Tensor& g, const Tensor& w) {
                               return std::pair{matmul(x, matmul(w, w)), w - g};
                             },
                             x4, x4, x4),
                         1, 1),
              R"(
%0 = input f32[4, 4]
%1 = input f32[4, 4]
%2 = input f32[4, 4]
%3 = matmul f32[4, 4] %2 %2
%4 = matmul f32[4, 4] %0 %3
%5 = sub f32[4, 4] %2 %1
return %4 %5
(the same)
)");
  CHECK_DRAWN(drawn_kept(traced(
                             [](const Tensor& x, const Tensor& g, const Tensor& w) {
                               return std::pair{matmul(x, half(w)), matmul(w, g)};
                             },
                             half4, x4, x4),
                         1, 1),
              R"(
%0 = input bf16[4, 4]
%1 = input f32[4, 4]
%2 = input f32[4, 4]
%3 = cast bf16[4, 4] %2 {dtype=bf16}
%4 = matmul bf16[4, 4] %0 %3
%5 = matmul f32[4, 4] %2 %1
return %4 %5
(the same)
)");
}

TEST_CASE("not kept: what the update's own loop computes anyway", "[pass][kept]") {
  CHECK_DRAWN(drawn_plan(traced(
                             [](const Tensor& x, const Tensor& w) {
                               return std::pair{matmul(x, half(w)), w * 0.5};
                             },
                             half4, x4),
                         1),
              R"(
%0 = input bf16[4, 4]                         | step 0: kernel, 1 segment %1 -> %3@0 -> %6
%1 = input f32[4, 4]                          | step 1: matmul %0 %3@0 -> %4
%2 = cast bf16[4, 4] %1 {dtype=bf16}          | variable 0: in place
%3 = matmul bf16[4, 4] %0 %2                  | arena 64 bytes
%4 = constant f32[] 0.5                       |
%5 = broadcast_to f32[4, 4] %4 {shape=[4, 4]} |
%6 = mul f32[4, 4] %1 %5                      |
return %3 %6                                  |
)");
}
