// Passes over the body of a loop, drawn: to the left a round as it was traced, to the right what becomes of it.
#include <weft/autograd/round_invariants.h>
#include <weft/autograd/round_sums.h>
#include <weft/autograd/round_values.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

const Type h{f32, {9, 4}}, w{f32, {4, 4}};

/// A loop of 5 rounds over one carry, one element and one constant.
template <class F> ScanAttrs loop(F f, const Type& carry, const Type& element, const Type& constant) {
  return {std::make_shared<const Graph>(without_dead_nodes(inline_graphs(traced(f, carry, element, constant)))),
          1,
          1,
          5,
          false,
          false};
}

/// A round, beside what is computed before the loop and the round that is left.
std::string without(const ScanAttrs& attrs) {
  Trace trace;
  std::vector<Tensor> in;
  for (std::size_t k = 0; k < attrs.body->inputs.size(); ++k) {
    Type t = attrs.body->type(attrs.body->inputs[k]);
    if (k == 1) t.shape.insert(0, attrs.length);
    in.push_back(trace.add_input(t));
  }
  const TraceScope scope(&trace);
  const Loop made = without_invariants(attrs, in);
  for (std::size_t k = 0; k < made.in.size(); ++k) trace.graph.outputs.push_back(trace.value_of(made.in[k]));
  return beside("a round\n" + attrs.body->text(),
                "before the loop\n" + trace.graph.text() + "a round\n" + made.attrs.body->text());
}

}  // namespace

TEST_CASE("rounds: what no round changes is computed before the loop", "[pass][rounds]") {
  CHECK_DRAWN(without(loop(
                  [](const Tensor& c, const Tensor& x, const Tensor& m) {
                    return std::pair{c + x, c * exp(m)};
                  },
                  h, h, h)),
              R"(
a round                  | before the loop
%0 = input f32[9, 4]     | %0 = input f32[9, 4]
%1 = input f32[9, 4]     | %1 = input f32[5, 9, 4]
%2 = input f32[9, 4]     | %2 = input f32[9, 4]
%3 = add f32[9, 4] %0 %1 | %3 = exp f32[9, 4] %2
%4 = exp f32[9, 4] %2    | return %0 %1 %3
%5 = mul f32[9, 4] %0 %4 | a round
return %3 %5             | %0 = input f32[9, 4]
                         | %1 = input f32[9, 4]
                         | %2 = input f32[9, 4]
                         | %3 = add f32[9, 4] %0 %1
                         | %4 = mul f32[9, 4] %0 %2
                         | return %3 %4
)");
}

TEST_CASE("rounds: a matrix whose transpose many rows are multiplied with is turned before the loop",
          "[pass][rounds]") {
  CHECK_DRAWN(without(loop(
                  [](const Tensor& c, const Tensor& x, const Tensor& m) {
                    return std::pair{matmul(c, transpose(m)) + x, c};
                  },
                  h, h, w)),
              R"(
a round                                   | before the loop
%0 = input f32[9, 4]                      | %0 = input f32[9, 4]
%1 = input f32[9, 4]                      | %1 = input f32[5, 9, 4]
%2 = input f32[4, 4]                      | %2 = input f32[4, 4]
%3 = transpose f32[4, 4] %2 {axes=[1, 0]} | %3 = transpose f32[4, 4] %2 {axes=[1, 0]}
%4 = matmul f32[9, 4] %0 %3               | %4 = contiguous f32[4, 4] %3
%5 = add f32[9, 4] %4 %1                  | return %0 %1 %4
return %5 %0                              | a round
                                          | %0 = input f32[9, 4]
                                          | %1 = input f32[9, 4]
                                          | %2 = input f32[4, 4]
                                          | %3 = matmul f32[9, 4] %0 %2
                                          | %4 = add f32[9, 4] %3 %1
                                          | return %4 %0
)");
}

TEST_CASE("rounds: few rows of an element are multiplied with those of all other rounds", "[pass][rounds]") {
  CHECK_DRAWN(without(loop(
                  [](const Tensor& c, const Tensor& x, const Tensor& m) {
                    return std::pair{c + matmul(x, m), c};
                  },
                  Type{f32, {2, 4}}, Type{f32, {2, 4}}, w)),
              R"(
a round                     | before the loop
%0 = input f32[2, 4]        | %0 = input f32[2, 4]
%1 = input f32[2, 4]        | %1 = input f32[5, 2, 4]
%2 = input f32[4, 4]        | %2 = input f32[4, 4]
%3 = matmul f32[2, 4] %1 %2 | %3 = reshape f32[10, 4] %1 {shape=[10, 4]}
%4 = add f32[2, 4] %0 %3    | %4 = matmul f32[10, 4] %3 %2
return %4 %0                | %5 = reshape f32[5, 2, 4] %4 {shape=[5, 2, 4]}
                            | return %0 %5
                            | a round
                            | %0 = input f32[2, 4]
                            | %1 = input f32[2, 4]
                            | %2 = add f32[2, 4] %0 %1
                            | return %2 %0
)");
}

TEST_CASE("rounds: views stay where they are read, and checks in their round", "[pass][rounds]") {
  CHECK_DRAWN(without(loop(
                  [](const Tensor& c, const Tensor& x, const Tensor& m) {
                    return std::pair{c + transpose(m), gather(m, cast(sum(x), i64))};
                  },
                  w, w, w)),
              R"(
a round                                   | before the loop
%0 = input f32[4, 4]                      | %0 = input f32[4, 4]
%1 = input f32[4, 4]                      | %1 = input f32[5, 4, 4]
%2 = input f32[4, 4]                      | %2 = input f32[4, 4]
%3 = transpose f32[4, 4] %2 {axes=[1, 0]} | return %0 %1 %2
%4 = add f32[4, 4] %0 %3                  | a round
%5 = sum f32[] %1 {begin=0, end=2}        | %0 = input f32[4, 4]
%6 = cast i64[] %5 {dtype=i64}            | %1 = input f32[4, 4]
%7 = gather f32[4] %2 %6 {axis=0}         | %2 = input f32[4, 4]
return %4 %7                              | %3 = transpose f32[4, 4] %2 {axes=[1, 0]}
                                          | %4 = add f32[4, 4] %0 %3
                                          | %5 = sum f32[] %1 {begin=0, end=2}
                                          | %6 = cast i64[] %5 {dtype=i64}
                                          | %7 = gather f32[4] %2 %6 {axis=0}
                                          | return %4 %7
)");
}

TEST_CASE("rounds: a recorded loop gives what rules read, if it costs more to compute again than to keep",
          "[pass][rounds]") {
  const ScanAttrs attrs = loop(
      [](const Tensor& c, const Tensor& x, const Tensor& m) {
        const Tensor gate = sigmoid(matmul(c, m)), fresh = tanh(x);
        return std::pair{fresh + gate * (c - fresh), sum(c)};
      },
      h, h, w);
  CHECK_DRAWN(beside(attrs.body->text(), keeping_values(attrs).body->text()), R"(
%0 = input f32[9, 4]               | %0 = input f32[9, 4]
%1 = input f32[9, 4]               | %1 = input f32[9, 4]
%2 = input f32[4, 4]               | %2 = input f32[4, 4]
%3 = matmul f32[9, 4] %0 %2        | %3 = matmul f32[9, 4] %0 %2
%4 = sigmoid f32[9, 4] %3          | %4 = sigmoid f32[9, 4] %3
%5 = tanh f32[9, 4] %1             | %5 = tanh f32[9, 4] %1
%6 = sub f32[9, 4] %0 %5           | %6 = sub f32[9, 4] %0 %5
%7 = mul f32[9, 4] %4 %6           | %7 = mul f32[9, 4] %4 %6
%8 = add f32[9, 4] %5 %7           | %8 = add f32[9, 4] %5 %7
%9 = sum f32[] %0 {begin=0, end=2} | %9 = sum f32[] %0 {begin=0, end=2}
return %8 %9                       | return %8 %9 %5 %4
)");
}

TEST_CASE("rounds: sums and products of two numbers are computed again, and what no rule reads is not kept",
          "[pass][rounds]") {
  const ScanAttrs attrs = loop(
      [](const Tensor& c, const Tensor& x, const Tensor& m) {
        const Tensor sum = c + x, product = c * x;
        return std::pair{sum * product + matmul(c, m), c};
      },
      h, h, w);
  CHECK_DRAWN(beside(attrs.body->text(), keeping_values(attrs).body->text()), R"(
%0 = input f32[9, 4]        | %0 = input f32[9, 4]
%1 = input f32[9, 4]        | %1 = input f32[9, 4]
%2 = input f32[4, 4]        | %2 = input f32[4, 4]
%3 = add f32[9, 4] %0 %1    | %3 = add f32[9, 4] %0 %1
%4 = mul f32[9, 4] %0 %1    | %4 = mul f32[9, 4] %0 %1
%5 = matmul f32[9, 4] %0 %2 | %5 = matmul f32[9, 4] %0 %2
%6 = mul f32[9, 4] %3 %4    | %6 = mul f32[9, 4] %3 %4
%7 = add f32[9, 4] %6 %5    | %7 = add f32[9, 4] %6 %5
return %7 %0                | return %7 %0
)");
}

TEST_CASE("rounds: in the gradient a value that was kept takes the place of what computed it", "[pass][rounds]") {
  // the last output is what input 2 has already
  const Graph round = traced(
      [](const Tensor& g, const Tensor& x, const Tensor& /*kept*/) {
        const Tensor y = exp(sin(x));
        return std::pair{g * y, y};
      },
      h, h, h);
  std::vector<bool> used(1);
  CHECK_DRAWN(beside(round.text(), with_known_values(round, 2, used)->text()), R"(
%0 = input f32[9, 4]     | %0 = input f32[9, 4]
%1 = input f32[9, 4]     | %1 = input f32[9, 4]
%2 = input f32[9, 4]     | %2 = input f32[9, 4]
%3 = sin f32[9, 4] %1    | %3 = mul f32[9, 4] %0 %2
%4 = exp f32[9, 4] %3    | return %3
%5 = mul f32[9, 4] %0 %4 |
return %5 %4             |
)");
  CHECK(used[0]);
}

TEST_CASE(
    "rounds: the gradient of a shared matrix is one product of stacked operands, of another constant a sum in a carry",
    "[pass][rounds]") {
  // (carry, element, constants) -> (carry, what the round gives to either constant)
  const Graph round = traced(
      [](const Tensor& g, const Tensor& x) {
        const Tensor left = transpose(x);
        return std::tuple{sin(g), matmul(left, cos(g)), g * x};
      },
      Type{f32, {1, 8}}, Type{f32, {1, 8}});
  CHECK_DRAWN(beside(round.text(), RoundSums(round, 1, 1, 2).body()->text()), R"(
%0 = input f32[1, 8]                      | %0 = input f32[1, 8]
%1 = input f32[1, 8]                      | %1 = input f32[1, 8]
%2 = transpose f32[8, 1] %1 {axes=[1, 0]} | %2 = input f32[1, 8]
%3 = sin f32[1, 8] %0                     | %3 = sin f32[1, 8] %0
%4 = cos f32[1, 8] %0                     | %4 = cos f32[1, 8] %0
%5 = matmul f32[8, 8] %2 %4               | %5 = mul f32[1, 8] %0 %2
%6 = mul f32[1, 8] %0 %1                  | %6 = add f32[1, 8] %1 %5
return %3 %5 %6                           | return %3 %6 %4
)");
}
