// sparse_updates, drawn: an update by the gradient of a gather is one of the rows taken.
#include <weft/compiler/sparse_updates.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

const Type table{f32, {100, 8}}, indices{i64, {3}};

// table, indices -> what `update` makes of the table and its gradient, when the loss is the sum of the rows taken.
template <class Update> std::string updated(Update update, const Type& taken = indices) {
  const Graph graph = traced(
      [&](const Tensor& p, const Tensor& i) {
        GradientTape tape;
        tape.watch(p);
        return update(p, tape.gradient(sum(gather(p, i)), p));
      },
      table, taken);
  return drawn(sparse_updates, without_dead_nodes(fold_constants(without_dead_nodes(graph))));
}

}  // namespace

TEST_CASE("sparse: p - rate g is set in the rows taken, each once; the gradient of the whole table is gone",
          "[pass][sparse]") {
  CHECK_DRAWN(updated([](const Tensor& p, const Tensor& g) { return p - 0.1 * g; }), R"(
%0 = input f32[100, 8]                             | %0 = input f32[100, 8]
%1 = input i64[3]                                  | %1 = input i64[3]
%2 = constant f32[] 1                              | %2 = gather f32[3, 8] %0 %1 {axis=0}
%3 = constant f32[] 0                              | %3 = constant f32[] 1
%4 = constant f32[] 0.100000001                    | %4 = reshape f32[1, 1] %3 {shape=[1, 1]}
%5 = gather f32[3, 8] %0 %1 {axis=0}               | %5 = broadcast_to f32[3, 8] %4 {shape=[3, 8]}
%6 = reshape f32[1, 1] %2 {shape=[1, 1]}           | %6 = constant f32[] 0
%7 = broadcast_to f32[3, 8] %6 {shape=[3, 8]}      | %7 = broadcast_to f32[100, 8] %6 {shape=[100, 8]}
%8 = broadcast_to f32[100, 8] %3 {shape=[100, 8]}  | %8 = constant f32[] 0.100000001
%9 = scatter_add f32[100, 8] %8 %1 %7 {axis=0}     | %9 = broadcast_to f32[100, 8] %8 {shape=[100, 8]}
%10 = contiguous f32[100, 8] %9                    | %10, %11 = unique_rows i64[3] %1 {n=100}
%11 = broadcast_to f32[100, 8] %4 {shape=[100, 8]} | %12 = broadcast_to f32[3, 8] %6 {shape=[3, 8]}
%12 = mul f32[100, 8] %11 %10                      | %13 = scatter_add f32[3, 8] %12 %11 %5 {axis=0}
%13 = sub f32[100, 8] %0 %12                       | %14 = broadcast_to f32[3, 8] %8 {shape=[3, 8]}
return %13                                         | %15 = mul f32[3, 8] %14 %13
                                                   | %16 = sub f32[3, 8] %2 %15
                                                   | %17 = set_rows f32[100, 8] %0 %10 %16
                                                   | return %17
)");
}

TEST_CASE("sparse: what decays in every row is computed with 0 for the gradient, then set in the rows taken",
          "[pass][sparse]") {
  CHECK_DRAWN(updated([](const Tensor& p, const Tensor& g) { return p * 0.9 + g; }), R"(
%0 = input f32[100, 8]                             | %0 = input f32[100, 8]
%1 = input i64[3]                                  | %1 = input i64[3]
%2 = constant f32[] 1                              | %2 = gather f32[3, 8] %0 %1 {axis=0}
%3 = constant f32[] 0                              | %3 = constant f32[] 1
%4 = constant f32[] 0.899999976                    | %4 = reshape f32[1, 1] %3 {shape=[1, 1]}
%5 = gather f32[3, 8] %0 %1 {axis=0}               | %5 = broadcast_to f32[3, 8] %4 {shape=[3, 8]}
%6 = reshape f32[1, 1] %2 {shape=[1, 1]}           | %6 = constant f32[] 0
%7 = broadcast_to f32[3, 8] %6 {shape=[3, 8]}      | %7 = broadcast_to f32[100, 8] %6 {shape=[100, 8]}
%8 = broadcast_to f32[100, 8] %3 {shape=[100, 8]}  | %8 = constant f32[] 0.899999976
%9 = scatter_add f32[100, 8] %8 %1 %7 {axis=0}     | %9 = broadcast_to f32[100, 8] %8 {shape=[100, 8]}
%10 = contiguous f32[100, 8] %9                    | %10 = mul f32[100, 8] %0 %9
%11 = broadcast_to f32[100, 8] %4 {shape=[100, 8]} | %11, %12 = unique_rows i64[3] %1 {n=100}
%12 = mul f32[100, 8] %0 %11                       | %13 = broadcast_to f32[3, 8] %6 {shape=[3, 8]}
%13 = add f32[100, 8] %12 %10                      | %14 = scatter_add f32[3, 8] %13 %12 %5 {axis=0}
return %13                                         | %15 = broadcast_to f32[3, 8] %8 {shape=[3, 8]}
                                                   | %16 = mul f32[3, 8] %2 %15
                                                   | %17 = add f32[3, 8] %16 %14
                                                   | %18 = add f32[100, 8] %10 %7
                                                   | %19 = set_rows f32[100, 8] %18 %11 %17
                                                   | return %19
)");
}

TEST_CASE("sparse: a gradient's norm is that of the rows taken", "[pass][sparse]") {
  CHECK_DRAWN(updated([](const Tensor& p, const Tensor& g) { return p - g / sqrt(sum(square(g))); }), R"(
%0 = input f32[100, 8]                              | %0 = input f32[100, 8]
%1 = input i64[3]                                   | %1 = input i64[3]
%2 = constant f32[] 1                               | %2 = gather f32[3, 8] %0 %1 {axis=0}
%3 = constant f32[] 0                               | %3 = constant f32[] 1
%4 = gather f32[3, 8] %0 %1 {axis=0}                | %4 = reshape f32[1, 1] %3 {shape=[1, 1]}
%5 = reshape f32[1, 1] %2 {shape=[1, 1]}            | %5 = broadcast_to f32[3, 8] %4 {shape=[3, 8]}
%6 = broadcast_to f32[3, 8] %5 {shape=[3, 8]}       | %6 = constant f32[] 0
%7 = broadcast_to f32[100, 8] %3 {shape=[100, 8]}   | %7 = broadcast_to f32[100, 8] %6 {shape=[100, 8]}
%8 = scatter_add f32[100, 8] %7 %1 %6 {axis=0}      | %8, %9 = unique_rows i64[3] %1 {n=100}
%9 = contiguous f32[100, 8] %8                      | %10 = broadcast_to f32[3, 8] %6 {shape=[3, 8]}
%10 = square f32[100, 8] %9                         | %11 = scatter_add f32[3, 8] %10 %9 %5 {axis=0}
%11 = sum f32[] %10 {begin=0, end=2}                | %12 = square f32[3, 8] %11
%12 = sqrt f32[] %11                                | %13 = sum_rows f32[] %8 %12
%13 = broadcast_to f32[100, 8] %12 {shape=[100, 8]} | %14 = sqrt f32[] %13
%14 = div f32[100, 8] %9 %13                        | %15 = broadcast_to f32[100, 8] %14 {shape=[100, 8]}
%15 = sub f32[100, 8] %0 %14                        | %16 = broadcast_to f32[3, 8] %14 {shape=[3, 8]}
return %15                                          | %17 = div f32[3, 8] %11 %16
                                                    | %18 = sub f32[3, 8] %2 %17
                                                    | %19 = div f32[] %6 %14
                                                    | %20 = sub_scalar f32[100, 8] %0 %19
                                                    | %21 = set_rows f32[100, 8] %20 %8 %18
                                                    | return %21
)");
}

TEST_CASE("sparse: a gradient of which a row's sum is asked stays whole", "[pass][sparse]") {
  CHECK_DRAWN(updated([](const Tensor& p, const Tensor& g) { return p - g / expand(sum(square(g), 1), -1); }), R"(
%0 = input f32[100, 8]
%1 = input i64[3]
%2 = constant f32[] 1
%3 = constant f32[] 0
%4 = gather f32[3, 8] %0 %1 {axis=0}
%5 = reshape f32[1, 1] %2 {shape=[1, 1]}
%6 = broadcast_to f32[3, 8] %5 {shape=[3, 8]}
%7 = broadcast_to f32[100, 8] %3 {shape=[100, 8]}
%8 = scatter_add f32[100, 8] %7 %1 %6 {axis=0}
%9 = contiguous f32[100, 8] %8
%10 = square f32[100, 8] %9
%11 = sum f32[100] %10 {begin=1, end=2}
%12 = reshape f32[100, 1] %11 {shape=[100, 1]}
%13 = broadcast_to f32[100, 8] %12 {shape=[100, 8]}
%14 = div f32[100, 8] %9 %13
%15 = sub f32[100, 8] %0 %14
return %15
(the same)
)");
}

TEST_CASE("sparse: the gradient of most rows stays whole", "[pass][sparse]") {
  CHECK_DRAWN(updated([](const Tensor& p, const Tensor& g) { return p - 0.1 * g; }, Type{i64, {51}}), R"(
%0 = input f32[100, 8]
%1 = input i64[51]
%2 = constant f32[] 1
%3 = constant f32[] 0
%4 = constant f32[] 0.100000001
%5 = gather f32[51, 8] %0 %1 {axis=0}
%6 = reshape f32[1, 1] %2 {shape=[1, 1]}
%7 = broadcast_to f32[51, 8] %6 {shape=[51, 8]}
%8 = broadcast_to f32[100, 8] %3 {shape=[100, 8]}
%9 = scatter_add f32[100, 8] %8 %1 %7 {axis=0}
%10 = contiguous f32[100, 8] %9
%11 = broadcast_to f32[100, 8] %4 {shape=[100, 8]}
%12 = mul f32[100, 8] %11 %10
%13 = sub f32[100, 8] %0 %12
return %13
(the same)
)");
}
