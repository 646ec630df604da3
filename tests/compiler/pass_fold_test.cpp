// fold_constants, drawn: what is known when a function is compiled is computed then.
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {
const Type x4{f32, {4}}, scalar{f32, {}}, matrix{f32, {2, 3}};
}  // namespace

TEST_CASE("fold: an op on constants is run when the function is compiled", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced([](const Tensor& x) { return x * exp(tensor(0) + 1); }, scalar)), R"(
%0 = input f32[]      | %0 = input f32[]
%1 = constant f32[] 0 | %1 = constant f32[] 0
%2 = constant f32[] 1 | %2 = constant f32[] 1
%3 = add f32[] %1 %2  | %3 = constant f32[] 2.71828175
%4 = exp f32[] %3     | %4 = mul f32[] %0 %3
%5 = mul f32[] %0 %4  | return %4
return %5             |
)");
}

TEST_CASE("fold: an op on repeated scalars is one on the scalars, then repeated", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced(
                                        [](const Tensor& x, const Tensor& s) {
                                          return x + broadcast_to(s, {2, 3}) * 2;
                                        },
                                        matrix, scalar)),
              R"(
%0 = input f32[2, 3]                          | %0 = input f32[2, 3]
%1 = input f32[]                              | %1 = input f32[]
%2 = broadcast_to f32[2, 3] %1 {shape=[2, 3]} | %2 = broadcast_to f32[2, 3] %1 {shape=[2, 3]}
%3 = constant f32[] 2                         | %3 = constant f32[] 2
%4 = broadcast_to f32[2, 3] %3 {shape=[2, 3]} | %4 = broadcast_to f32[2, 3] %3 {shape=[2, 3]}
%5 = mul f32[2, 3] %2 %4                      | %5 = mul f32[] %1 %3
%6 = add f32[2, 3] %0 %5                      | %6 = broadcast_to f32[2, 3] %5 {shape=[2, 3]}
return %6                                     | %7 = add f32[2, 3] %0 %6
                                              | return %7
)");
}

TEST_CASE("fold: a reduction of a constant, too", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced(
                                        [](const Tensor& x) {
                                          return x + sum(tensor({1.0, 2.0, 3.0}));
                                        },
                                        scalar)),
              R"(
%0 = input f32[]                   | %0 = input f32[]
%1 = constant f32[3]               | %1 = constant f32[3]
%2 = sum f32[] %1 {begin=0, end=1} | %2 = constant f32[] 6
%3 = add f32[] %0 %2               | %3 = add f32[] %0 %2
return %3                          | return %3
)");
}

TEST_CASE("fold: a large result is not computed ahead, it would lie in memory", "[pass][fold]") {
  CHECK_DRAWN(
      drawn(fold_constants, traced([](const Tensor& x) { return x + concat({zeros({4097})}, 0); }, Type{f32, {4097}})),
      R"(
%0 = input f32[4097]
%1 = constant f32[4097]
%2 = concat f32[4097] %1 {axis=0}
%3 = add f32[4097] %0 %2
return %3
(the same)
)");
}

TEST_CASE("fold: what looks at values or is seen from outside happens in each call", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced(
                                        [](const Tensor& x) {
                                          const Tensor i = from_vector(std::vector<std::int64_t>{7});
                                          return x + gather(tensor({1.0, 2.0}), i);
                                        },
                                        Type{f32, {1}})),
              R"(
%0 = input f32[1]
%1 = constant f32[2]
%2 = constant i64[1]
%3 = gather f32[1] %1 %2 {axis=0}
%4 = add f32[1] %0 %3
return %4
(the same)
)");
  CHECK_DRAWN(drawn(fold_constants, traced([](const Tensor& x) { return x + debug::print(tensor(2), "two"); }, scalar)),
              R"(
%0 = input f32[]
%1 = constant f32[] 2
%2 = print f32[] %1 {label=two}
%3 = add f32[] %0 %2
return %3
(the same)
)");
}

TEST_CASE("fold: an op that is there for gradients alone is its operand", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced(
                                        [](const Tensor& x) {
                                          return custom_gradient([](const Tensor& t) {
                                            return std::pair(exp(t), [](const Tensor& g) { return g * 2; });
                                          })(x);
                                        },
                                        x4)),
              R"(
%0 = input f32[4]                                 | %0 = input f32[4]
%1 = exp f32[4] %0                                | %1 = exp f32[4] %0
%2 = custom_gradient f32[4] %0 %1 {rule=function} | return %1
return %2                                         |
)");
}

TEST_CASE("fold: x + 0 is not x, for -0 + 0 is 0", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced([](const Tensor& x) { return x + 0; }, x4)), R"(
%0 = input f32[4]
%1 = constant f32[] 0
%2 = broadcast_to f32[4] %1 {shape=[4]}
%3 = add f32[4] %0 %2
return %3
(the same)
)");
}

TEST_CASE("fold: x * 0 is not 0, for x may be NaN, infinite or negative", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced([](const Tensor& x) { return x * 0; }, x4)), R"(
%0 = input f32[4]
%1 = constant f32[] 0
%2 = broadcast_to f32[4] %1 {shape=[4]}
%3 = mul f32[4] %0 %2
return %3
(the same)
)");
}

TEST_CASE("fold: x - x and x / x are not 0 and 1, for x may be NaN or infinite", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced(
                                        [](const Tensor& x) {
                                          return std::pair{x - x, x / x};
                                        },
                                        x4)),
              R"(
%0 = input f32[4]
%1 = sub f32[4] %0 %0
%2 = div f32[4] %0 %0
return %1 %2
(the same)
)");
}

TEST_CASE("fold: 0 - x is not -x, for 0 - 0 is +0", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced(
                                        [](const Tensor& x) {
                                          return std::pair{0 - x, -x};
                                        },
                                        x4)),
              R"(
%0 = input f32[4]
%1 = constant f32[] 0
%2 = broadcast_to f32[4] %1 {shape=[4]}
%3 = sub f32[4] %2 %0
%4 = neg f32[4] %0
return %3 %4
(the same)
)");
}

TEST_CASE("fold: (x + 1) + 2 is not x + 3, nor (x * 3) / 3 x: each op rounds", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced(
                                        [](const Tensor& x) {
                                          return std::pair{x + 1 + 2, x * 3 / 3};
                                        },
                                        x4)),
              R"(
%0 = input f32[4]
%1 = constant f32[] 1
%2 = broadcast_to f32[4] %1 {shape=[4]}
%3 = add f32[4] %0 %2
%4 = constant f32[] 2
%5 = broadcast_to f32[4] %4 {shape=[4]}
%6 = add f32[4] %3 %5
%7 = constant f32[] 3
%8 = broadcast_to f32[4] %7 {shape=[4]}
%9 = mul f32[4] %0 %8
%10 = div f32[4] %9 %8
return %6 %10
(the same)
)");
}

TEST_CASE("fold: x / 3 is no product with the reciprocal, which is another number", "[pass][fold]") {
  CHECK_DRAWN(drawn(fold_constants, traced([](const Tensor& x) { return x / 3; }, x4)), R"(
%0 = input f32[4]
%1 = constant f32[] 3
%2 = broadcast_to f32[4] %1 {shape=[4]}
%3 = div f32[4] %0 %2
return %3
(the same)
)");
}
