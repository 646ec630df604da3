// Fusion, drawn: to the left a graph, to the right the loops that its nodes go into. What a loop does not hold is a
// view, which costs nothing.
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {
const Type matrix{f32, {6, 4}}, square_matrix{f32, {4, 4}};
}  // namespace

TEST_CASE("groups: elementwise ops are one loop, with several results", "[pass][fusion]") {
  CHECK_DRAWN(drawn_groups(traced(
                  [](const Tensor& x) {
                    return std::pair{exp(x) * x, sin(exp(x))};
                  },
                  matrix)),
              R"(
%0 = input f32[6, 4]     | group 0: loop over [6, 4]
%1 = exp f32[6, 4] %0    |   %1 = exp f32[6, 4]
%2 = mul f32[6, 4] %1 %0 |   %2 = mul f32[6, 4]
%3 = sin f32[6, 4] %1    |   %3 = sin f32[6, 4]
return %2 %3             |
)");
}

TEST_CASE("groups: a softmax is one loop over the rows, its reductions in it", "[pass][fusion]") {
  CHECK_DRAWN(drawn_groups(without_dead_nodes(traced([](const Tensor& x) { return softmax(x, -1); }, matrix))), R"(
%0 = input f32[6, 4]                           | group 0: [6] rows of [4]
%1 = max f32[6] %0 {begin=1, end=2}            |   %1 = max f32[6]  row
%2 = reshape f32[6, 1] %1 {shape=[6, 1]}       |   %3 = stop_gradient f32[6, 1]  row
%3 = stop_gradient f32[6, 1] %2                |   %5 = sub f32[6, 4]
%4 = broadcast_to f32[6, 4] %3 {shape=[6, 4]}  |   %6 = exp f32[6, 4]
%5 = sub f32[6, 4] %0 %4                       |   %7 = sum f32[6]  row
%6 = exp f32[6, 4] %5                          |   %9 = reciprocal f32[6, 1]  row
%7 = sum f32[6] %6 {begin=1, end=2}            |   %11 = mul f32[6, 4]
%8 = reshape f32[6, 1] %7 {shape=[6, 1]}       |
%9 = reciprocal f32[6, 1] %8                   |
%10 = broadcast_to f32[6, 4] %9 {shape=[6, 4]} |
%11 = mul f32[6, 4] %6 %10                     |
return %11                                     |
)");
}

TEST_CASE("groups: a reduction down the columns goes with what it reduces, and is known when that loop is done",
          "[pass][fusion]") {
  CHECK_DRAWN(drawn_groups(traced([](const Tensor& x) { return exp(x) - sum(exp(x), 0); }, matrix)), R"(
%0 = input f32[6, 4]                          | group 0: [6] rows of [4]
%1 = exp f32[6, 4] %0                         |   %1 = exp f32[6, 4]
%2 = sum f32[4] %1 {begin=0, end=1}           |   %2 = sum f32[4]  column
%3 = broadcast_to f32[6, 4] %2 {shape=[6, 4]} | group 1: loop over [6, 4]
%4 = sub f32[6, 4] %1 %3                      |   %4 = sub f32[6, 4]
return %4                                     |
)");
}

TEST_CASE("groups: a transposed operand comes from a loop before", "[pass][fusion]") {
  const auto f = [](const Tensor& x) {
    const Tensor s = sin(x);
    return exp(x) - transpose(s);
  };
  CHECK_DRAWN(drawn_groups(traced(f, square_matrix)), R"(
%0 = input f32[4, 4]                      | group 0: loop over [4, 4]
%1 = sin f32[4, 4] %0                     |   %1 = sin f32[4, 4]
%2 = transpose f32[4, 4] %1 {axes=[1, 0]} | group 1: loop over [4, 4]
%3 = exp f32[4, 4] %0                     |   %3 = exp f32[4, 4]
%4 = sub f32[4, 4] %3 %2                  |   %4 = sub f32[4, 4]
return %4                                 |
)");
}

TEST_CASE("groups: a matrix product runs as a whole, between loops", "[pass][fusion]") {
  CHECK_DRAWN(drawn_groups(traced([](const Tensor& x) { return sin(matmul(exp(x), x)); }, square_matrix)), R"(
%0 = input f32[4, 4]        | group 0: loop over [4, 4]
%1 = exp f32[4, 4] %0       |   %1 = exp f32[4, 4]
%2 = matmul f32[4, 4] %1 %0 | group 1:
%3 = sin f32[4, 4] %2       |   %2 = matmul f32[4, 4]
return %3                   | group 2: loop over [4, 4]
                            |   %3 = sin f32[4, 4]
)");
}

TEST_CASE("groups: loops over one space that read the same are one, that have nothing in common two",
          "[pass][fusion]") {
  CHECK_DRAWN(drawn_groups(traced(
                  [](const Tensor& x, const Tensor& y) {
                    return std::tuple{exp(x), sin(x), cos(y)};
                  },
                  matrix, matrix)),
              R"(
%0 = input f32[6, 4]  | group 0: loop over [6, 4]
%1 = input f32[6, 4]  |   %2 = exp f32[6, 4]
%2 = exp f32[6, 4] %0 |   %3 = sin f32[6, 4]
%3 = sin f32[6, 4] %0 | group 1: loop over [6, 4]
%4 = cos f32[6, 4] %1 |   %4 = cos f32[6, 4]
return %2 %3 %4       |
)");
}

TEST_CASE("groups: no loop around what has to run between its parts", "[pass][fusion]") {
  CHECK_DRAWN(drawn_groups(traced([](const Tensor& x) { return exp(x) + matmul(exp(x), x); }, square_matrix)), R"(
%0 = input f32[4, 4]        | group 0: loop over [4, 4]
%1 = exp f32[4, 4] %0       |   %1 = exp f32[4, 4]
%2 = matmul f32[4, 4] %1 %0 | group 1:
%3 = add f32[4, 4] %1 %2    |   %2 = matmul f32[4, 4]
return %3                   | group 2: loop over [4, 4]
                            |   %3 = add f32[4, 4]
)");
}

TEST_CASE("groups: what only another loop reads is computed there, though both read the same buffer",
          "[pass][fusion]") {
  CHECK_DRAWN(drawn_groups(traced(
                  [](const Tensor& w, const Tensor& x) {
                    const Tensor y = matmul(x, cast(w, DType::bf16));  // reads w, as does the update
                    const Tensor decayed = w * 0.9, gradient = matmul(transpose(x), y);
                    return decayed - cast(gradient, f32);
                  },
                  square_matrix, Type{DType::bf16, {8, 4}})),
              R"(
%0 = input f32[4, 4]                          | group 0: loop over [4, 4]
%1 = input bf16[8, 4]                         |   %2 = cast bf16[4, 4]
%2 = cast bf16[4, 4] %0 {dtype=bf16}          | group 1:
%3 = matmul bf16[8, 4] %1 %2                  |   %3 = matmul bf16[8, 4]
%4 = constant f32[] 0.899999976               | group 2:
%5 = broadcast_to f32[4, 4] %4 {shape=[4, 4]} |   %8 = matmul bf16[4, 4]
%6 = mul f32[4, 4] %0 %5                      | group 3: loop over [4, 4]
%7 = transpose bf16[4, 8] %1 {axes=[1, 0]}    |   %6 = mul f32[4, 4]
%8 = matmul bf16[4, 4] %7 %3                  |   %9 = cast f32[4, 4]
%9 = cast f32[4, 4] %8 {dtype=f32}            |   %10 = sub f32[4, 4]
%10 = sub f32[4, 4] %6 %9                     |
return %10                                    |
)");
}

TEST_CASE("groups: a loop computes again what is dearer to store: not what takes long, nor what is small",
          "[pass][fusion]") {
  const auto f = [](const Tensor& x, const Tensor& w) {
    const Tensor cheap = x * 2 + 1, dear = tanh(cheap), y = matmul(dear, w);
    return y * cheap + dear;
  };
  CHECK_DRAWN(drawn_groups(traced(f, Type{f32, {1024, 256}}, Type{f32, {256, 256}})), R"(
%0 = input f32[1024, 256]                               | group 0: loop over [1024, 256]
%1 = input f32[256, 256]                                |   %4 = mul f32[1024, 256]
%2 = constant f32[] 2                                   |   %7 = add f32[1024, 256]
%3 = broadcast_to f32[1024, 256] %2 {shape=[1024, 256]} |   %8 = tanh f32[1024, 256]
%4 = mul f32[1024, 256] %0 %3                           | group 1:
%5 = constant f32[] 1                                   |   %9 = matmul f32[1024, 256]
%6 = broadcast_to f32[1024, 256] %5 {shape=[1024, 256]} | group 2: loop over [1024, 256]
%7 = add f32[1024, 256] %4 %6                           |   %10 = mul f32[1024, 256]
%8 = tanh f32[1024, 256] %7                             |   %11 = add f32[1024, 256]
%9 = matmul f32[1024, 256] %8 %1                        |   %4 = mul again
%10 = mul f32[1024, 256] %9 %7                          |   %7 = add again
%11 = add f32[1024, 256] %10 %8                         |
return %11                                              |
)");
  CHECK_DRAWN(drawn_groups(traced(f, Type{f32, {16, 256}}, Type{f32, {256, 256}})), R"(
%0 = input f32[16, 256]                             | group 0: loop over [16, 256]
%1 = input f32[256, 256]                            |   %4 = mul f32[16, 256]
%2 = constant f32[] 2                               |   %7 = add f32[16, 256]
%3 = broadcast_to f32[16, 256] %2 {shape=[16, 256]} |   %8 = tanh f32[16, 256]
%4 = mul f32[16, 256] %0 %3                         | group 1:
%5 = constant f32[] 1                               |   %9 = matmul f32[16, 256]
%6 = broadcast_to f32[16, 256] %5 {shape=[16, 256]} | group 2: loop over [16, 256]
%7 = add f32[16, 256] %4 %6                         |   %10 = mul f32[16, 256]
%8 = tanh f32[16, 256] %7                           |   %11 = add f32[16, 256]
%9 = matmul f32[16, 256] %8 %1                      |
%10 = mul f32[16, 256] %9 %7                        |
%11 = add f32[16, 256] %10 %8                       |
return %11                                          |
)");
}

TEST_CASE("groups: a reshape is no obstacle: the loop runs over axes that both shapes cut to", "[pass][fusion]") {
  const Type x{f32, {6, 64}}, bias{f32, {2, 1}};
  CHECK_DRAWN(drawn_groups(traced(
                  [](const Tensor& x, const Tensor& b) {
                    const Tensor y = reshape(exp(x), {6, 2, 32}) + b;
                    return std::pair{y, sum(reshape(y, {12, 32}), 1)};
                  },
                  x, bias)),
              R"(
%0 = input f32[6, 64]                                 | group 0: [6, 2] rows of [32]
%1 = input f32[2, 1]                                  |   %2 = exp f32[6, 64]
%2 = exp f32[6, 64] %0                                |   %5 = add f32[6, 2, 32]
%3 = reshape f32[6, 2, 32] %2 {shape=[6, 2, 32]}      |   %7 = sum f32[12]  row
%4 = broadcast_to f32[6, 2, 32] %1 {shape=[6, 2, 32]} |
%5 = add f32[6, 2, 32] %3 %4                          |
%6 = reshape f32[12, 32] %5 {shape=[12, 32]}          |
%7 = sum f32[12] %6 {begin=1, end=2}                  |
return %5 %7                                          |
)");
}

TEST_CASE("groups: a reshape to short columns is one", "[pass][fusion]") {
  CHECK_DRAWN(drawn_groups(traced(
                  [](const Tensor& x) {
                    return sin(reshape(exp(x), {6, 32, 2}));
                  },
                  Type{f32, {6, 64}})),
              R"(
%0 = input f32[6, 64]                            | group 0: loop over [6, 64]
%1 = exp f32[6, 64] %0                           |   %1 = exp f32[6, 64]
%2 = reshape f32[6, 32, 2] %1 {shape=[6, 32, 2]} | group 1: loop over [6, 32, 2]
%3 = sin f32[6, 32, 2] %2                        |   %3 = sin f32[6, 32, 2]
return %3                                        |
)");
}

TEST_CASE("groups: what every so many columns share goes into the rows' loop", "[pass][fusion]") {
  const auto f = [](const Tensor& x, const Tensor& w) { return (x - mean(x, {1, 2}, true)) * w; };
  CHECK_DRAWN(drawn_groups(without_dead_nodes(traced(f, Type{f32, {4, 3, 32}}, Type{f32, {3, 1}}))), R"(
%0 = input f32[4, 3, 32]                              | group 0: [4] rows of [3, 32]
%1 = input f32[3, 1]                                  |   %3 = sum f32[4]  row
%2 = constant f32[] 96                                |   %6 = div f32[4, 1, 1]  row
%3 = sum f32[4] %0 {begin=1, end=3}                   |   %8 = sub f32[4, 3, 32]
%4 = reshape f32[4, 1, 1] %3 {shape=[4, 1, 1]}        |   %10 = mul f32[4, 3, 32]
%5 = broadcast_to f32[4, 1, 1] %2 {shape=[4, 1, 1]}   |
%6 = div f32[4, 1, 1] %4 %5                           |
%7 = broadcast_to f32[4, 3, 32] %6 {shape=[4, 3, 32]} |
%8 = sub f32[4, 3, 32] %0 %7                          |
%9 = broadcast_to f32[4, 3, 32] %1 {shape=[4, 3, 32]} |
%10 = mul f32[4, 3, 32] %8 %9                         |
return %10                                            |
)");
}

TEST_CASE("groups: but not among few columns", "[pass][fusion]") {
  const auto f = [](const Tensor& x, const Tensor& w) { return (x - mean(x, {1, 2}, true)) * w; };
  CHECK_DRAWN(drawn_groups(without_dead_nodes(traced(f, Type{f32, {4, 12, 8}}, Type{f32, {12, 1}}))), R"(
%0 = input f32[4, 12, 8]                              | group 0: [4] rows of [12, 8]
%1 = input f32[12, 1]                                 |   %3 = sum f32[4]  row
%2 = constant f32[] 96                                |   %6 = div f32[4, 1, 1]  row
%3 = sum f32[4] %0 {begin=1, end=3}                   |   %8 = sub f32[4, 12, 8]
%4 = reshape f32[4, 1, 1] %3 {shape=[4, 1, 1]}        | group 1: loop over [4, 12, 8]
%5 = broadcast_to f32[4, 1, 1] %2 {shape=[4, 1, 1]}   |   %10 = mul f32[4, 12, 8]
%6 = div f32[4, 1, 1] %4 %5                           |
%7 = broadcast_to f32[4, 12, 8] %6 {shape=[4, 12, 8]} |
%8 = sub f32[4, 12, 8] %0 %7                          |
%9 = broadcast_to f32[4, 12, 8] %1 {shape=[4, 12, 8]} |
%10 = mul f32[4, 12, 8] %8 %9                         |
return %10                                            |
)");
}

TEST_CASE("groups: no more instructions in a loop than code generation bears", "[pass][fusion]") {
  const auto f = [](Tensor x) {
    for (int i = 0; i < 60; ++i) x = sin(x);
    return x;
  };
  auto compiled = compile(f);
  const Tensor x = random::normal({100});
  CHECK(test::difference(compiled(x), f(x)) == "");
  CHECK_THAT(compiled.dump("groups"), containing("group 1: loop over [100]"));
  CHECK_THAT(compiled.explain_fusion(), containing("instructions; a kernel has at most 96 and 1000"));
}

TEST_CASE(
    "groups: long functions of many short rows' values have a loop of their own, if the rows do not want them back",
    "[pass][groups]") {
  const Type points{f32, {2000, 3}};
  CHECK_DRAWN(drawn_groups(traced([](const Tensor& x) { return sin(sum(x, 1)); }, points)), R"(
%0 = input f32[2000, 3]                | group 0: [2000] rows of [3]
%1 = sum f32[2000] %0 {begin=1, end=2} |   %1 = sum f32[2000]  row
%2 = sin f32[2000] %1                  | group 1: loop over [2000]
return %2                              |   %2 = sin f32[2000]
)");
  CHECK_DRAWN(drawn_groups(traced([](const Tensor& x) { return x * expand(sin(sum(x, 1)), 1); }, points)), R"(
%0 = input f32[2000, 3]                             | group 0: [2000] rows of [3]
%1 = sum f32[2000] %0 {begin=1, end=2}              |   %1 = sum f32[2000]  row
%2 = sin f32[2000] %1                               |   %2 = sin f32[2000]  row
%3 = reshape f32[2000, 1] %2 {shape=[2000, 1]}      |   %5 = mul f32[2000, 3]
%4 = broadcast_to f32[2000, 3] %3 {shape=[2000, 3]} |
%5 = mul f32[2000, 3] %0 %4                         |
return %5                                           |
)");
  CHECK_DRAWN(drawn_groups(traced([](const Tensor& x) { return mean(sin(sum(x, 1))); }, points)), R"(
%0 = input f32[2000, 3]                | group 0: [2000] rows of [3]
%1 = sum f32[2000] %0 {begin=1, end=2} |   %1 = sum f32[2000]  row
%2 = sin f32[2000] %1                  | group 1: [] rows of [2000]
%3 = sum f32[] %2 {begin=0, end=1}     |   %2 = sin f32[2000]
%4 = constant f32[] 2000               |   %3 = sum f32[]  row
%5 = div f32[] %3 %4                   |   %5 = div f32[]  row
return %5                              |
)");
}

TEST_CASE("groups: known powers are as short as the products they are", "[pass][groups]") {
  const auto chain = [](auto cube) {
    return compile([=](const Tensor& x) {
      Tensor r = x;
      for (int i = 0; i < 12; ++i) r = cube(r) * 0.1 + x;
      return r;
    });
  };
  auto powers = chain([](const Tensor& r) { return pow(r, 3); });
  auto products = chain([](const Tensor& r) { return r * r * r; });
  const Tensor x = linspace(-1, 1, 1000);
  CHECK_SAME(powers(x), products(x));
  CHECK(powers.stats().kernels == products.stats().kernels);
}
