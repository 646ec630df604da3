// What a trace itself makes of a program, inline_graphs and without_dead_nodes, drawn.
#include <weft/ops/parts.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {
const Type x4{f32, {4}};
}  // namespace

TEST_CASE("common subexpressions: the same op on the same operands is one node", "[pass][common]") {
  CHECK_DRAWN("\n" + traced([](const Tensor& x) { return exp(x + 1) * exp(x + 1); }, x4).text(), R"(
%0 = input f32[4]
%1 = constant f32[] 1
%2 = broadcast_to f32[4] %1 {shape=[4]}
%3 = add f32[4] %0 %2
%4 = exp f32[4] %3
%5 = mul f32[4] %4 %4
return %5
)");
}

TEST_CASE("common subexpressions: other attributes, operands in another order, and 0 and -0 are not the same",
          "[pass][common]") {
  CHECK_DRAWN("\n" + traced(
                         [](const Tensor& x, const Tensor& y) {
                           return std::tuple{sum(x, 0), sum(x, 1), x - y, y - x, full({}, 0.0), full({}, -0.0)};
                         },
                         Type{f32, {2, 2}}, Type{f32, {2, 2}})
                         .text(),
              R"(
%0 = input f32[2, 2]
%1 = input f32[2, 2]
%2 = sum f32[2] %0 {begin=0, end=1}
%3 = sum f32[2] %0 {begin=1, end=2}
%4 = sub f32[2, 2] %0 %1
%5 = sub f32[2, 2] %1 %0
%6 = constant f32[] 0
%7 = constant f32[] -0
return %2 %3 %4 %5 %6 %7
)");
}

TEST_CASE("common subexpressions: an effect twice is two", "[pass][common]") {
  CHECK_DRAWN("\n" + traced(
                         [](const Tensor& x) {
                           return std::pair{debug::print(x, "x"), debug::print(x, "x")};
                         },
                         x4)
                         .text(),
              R"(
%0 = input f32[4]
%1 = print f32[4] %0 {label=x}
%2 = print f32[4] %0 {label=x}
return %1 %2
)");
}

TEST_CASE("dead nodes: what no result needs goes, inputs stay in their places", "[pass][dead]") {
  CHECK_DRAWN(drawn(without_dead_nodes, traced(
                                            [](const Tensor& x, const Tensor&, const Tensor& z) {
                                              exp(sin(x) + 3);
                                              return x * z;
                                            },
                                            x4, x4, x4)),
              R"(
%0 = input f32[4]                       | %0 = input f32[4]
%1 = input f32[4]                       | %1 = input f32[4]
%2 = input f32[4]                       | %2 = input f32[4]
%3 = sin f32[4] %0                      | %3 = mul f32[4] %0 %2
%4 = constant f32[] 3                   | return %3
%5 = broadcast_to f32[4] %4 {shape=[4]} |
%6 = add f32[4] %3 %5                   |
%7 = exp f32[4] %6                      |
%8 = mul f32[4] %0 %2                   |
return %8                               |
)");
}

TEST_CASE("dead nodes: a check of values and an effect stay, with what they need", "[pass][dead]") {
  CHECK_DRAWN(drawn(without_dead_nodes, traced(
                                            [](const Tensor& x, const Tensor& i) {
                                              gather(x, i);  // throws on a bad index
                                              debug::print(sin(x), "sin");
                                              cos(x);
                                              return x;
                                            },
                                            x4, Type{i64, {2}})),
              R"(
%0 = input f32[4]                 | %0 = input f32[4]
%1 = input i64[2]                 | %1 = input i64[2]
%2 = gather f32[2] %0 %1 {axis=0} | %2 = gather f32[2] %0 %1 {axis=0}
%3 = sin f32[4] %0                | %3 = sin f32[4] %0
%4 = print f32[4] %3 {label=sin}  | %4 = print f32[4] %3 {label=sin}
%5 = cos f32[4] %0                | return %0
return %0                         |
)");
}

TEST_CASE("dead nodes: one result of several keeps the node", "[pass][dead]") {
  CHECK_DRAWN(drawn(without_dead_nodes, traced([](const Tensor& x) { return detail::equal_parts(x, 2, 0)[1]; }, x4)),
              R"(
%0 = input f32[4]
%1, %2 = equal_parts f32[2] %0 {axis=0, graph=%0 = input f32[4]
%1 = slice f32[2] %0 {begin=[0], step=[1], size=[2]}
%2 = slice f32[2] %0 {begin=[2], step=[1], size=[2]}
return %1 %2
}
return %2
(the same)
)");
}

TEST_CASE("inline: an op that stands for a graph becomes its nodes", "[pass][inline]") {
  CHECK_DRAWN(drawn(inline_graphs, traced(
                                       [](const Tensor& x) {
                                         const std::vector<Tensor> parts = detail::equal_parts(x, 2, 0);
                                         return parts[0] * parts[1];
                                       },
                                       x4)),
              R"(
%0 = input f32[4]                                               | %0 = input f32[4]
%1, %2 = equal_parts f32[2] %0 {axis=0, graph=%0 = input f32[4] | %1 = slice f32[2] %0 {begin=[0], step=[1], size=[2]}
%1 = slice f32[2] %0 {begin=[0], step=[1], size=[2]}            | %2 = slice f32[2] %0 {begin=[2], step=[1], size=[2]}
%2 = slice f32[2] %0 {begin=[2], step=[1], size=[2]}            | %3 = mul f32[2] %1 %2
return %1 %2                                                    | return %3
}                                                               |
%3 = mul f32[2] %1 %2                                           |
return %3                                                       |
)");
}

TEST_CASE("inline: the gradient of what is recomputed waits for its cotangent", "[pass][inline]") {
  CHECK_DRAWN(drawn(inline_graphs, traced(
                                       [](const Tensor& x) {
                                         GradientTape tape;
                                         tape.watch(x);
                                         const Tensor y = recompute([](const Tensor& t) { return sin(sin(t)); })(x);
                                         return tape.gradient(sum(y), x);
                                       },
                                       x4)),
              R"(
%0 = input f32[4]                                 | %0 = input f32[4]
%1 = recompute f32[4] %0 {graph=%0 = input f32[4] | %1 = constant f32[] 1
%1 = sin f32[4] %0                                | %2 = sin f32[4] %0
%2 = sin f32[4] %1                                | %3 = sin f32[4] %2
return %2                                         | %4 = sum f32[] %3 {begin=0, end=1}
}                                                 | %5 = reshape f32[1] %1 {shape=[1]}
%2 = sum f32[] %1 {begin=0, end=1}                | %6 = broadcast_to f32[4] %5 {shape=[4]}
%3 = constant f32[] 1                             | %7 = barrier f32[4] %0 %6
%4 = reshape f32[1] %3 {shape=[1]}                | %8 = sin f32[4] %7
%5 = broadcast_to f32[4] %4 {shape=[4]}           | %9 = sin f32[4] %8
%6 = barrier f32[4] %0 %5                         | %10 = cos f32[4] %8
%7 = sin f32[4] %6                                | %11 = mul f32[4] %6 %10
%8 = sin f32[4] %7                                | %12 = cos f32[4] %7
%9 = cos f32[4] %7                                | %13 = mul f32[4] %11 %12
%10 = mul f32[4] %5 %9                            | %14 = contiguous f32[4] %13
%11 = cos f32[4] %6                               | %15 = contiguous f32[4] %14
%12 = mul f32[4] %10 %11                          | return %15
%13 = contiguous f32[4] %12                       |
%14 = contiguous f32[4] %13                       |
return %14                                        |
)");
}

TEST_CASE("inline: loops and branches keep their graphs", "[pass][inline]") {
  CHECK_DRAWN(
      drawn(inline_graphs,
            traced(
                [](const Tensor& x) {
                  return scan([](const Tensor& c, const Tensor& e) { return std::pair{c + e, c}; }, tensor(0), x).first;
                },
                x4)),
      R"(
%0 = input f32[4]
%1 = constant f32[] 0
%2, %3 = scan f32[] %1 %0 {body=%0 = input f32[]
%1 = input f32[]
%2 = add f32[] %0 %1
return %2 %0
, carries=1, xs=1, length=4, reverse=false, keep=false}
return %2
(the same)
)");
}
