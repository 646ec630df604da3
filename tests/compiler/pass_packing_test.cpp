// Which weights are packed beside the step, drawn.
#include <weft/compiler/packing.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

const Type x{f32, {2, 16, 8, 8}}, w{f32, {32, 16, 3, 3}};
Graph weight_is_variable(const Graph& g) { return pack_weights(g, 1, {}); }
Graph weight_is_argument(const Graph& g) { return pack_weights(g, 2, {}); }
Graph weight_is_updated(const Graph& g) {
  const std::size_t written[] = {0};
  return pack_weights(g, 1, written);
}

// Without the attributes, which of convolutions would fill the line.
std::string plainly(const std::string& text) {
  std::string s;
  int depth = 0;
  for (const char c : text) {
    depth += c == '{';
    if (c == '{') s.pop_back();  // the blank
    if (depth == 0) s += c;
    depth -= c == '}';
  }
  return s;
}
std::string drawn_plainly(Graph (*pass)(const Graph&), const Graph& graph) {
  const Graph after = pass(graph);
  after.verify();
  return after.text() == graph.text() ? "\n" + plainly(graph.text()) + "(the same)\n"
                                      : beside(plainly(graph.text()), plainly(after.text()));
}

}  // namespace

TEST_CASE("packing: a convolution of a variable, or of what is made of it, becomes two nodes", "[pass][packing]") {
  CHECK_DRAWN(drawn_plainly(weight_is_variable, traced(
                                                    [](const Tensor& images, const Tensor& weight) {
                                                      return std::pair(conv2d(images, weight),
                                                                       exp(conv2d(images, sin(weight))));
                                                    },
                                                    x, w)),
              R"(
%0 = input f32[2, 16, 8, 8]        | %0 = input f32[2, 16, 8, 8]
%1 = input f32[32, 16, 3, 3]       | %1 = input f32[32, 16, 3, 3]
%2 = sin f32[32, 16, 3, 3] %1      | %2 = sin f32[32, 16, 3, 3] %1
%3 = transpose f32[2, 8, 8, 16] %0 | %3 = transpose f32[2, 8, 8, 16] %0
%4 = conv f32[2, 6, 6, 32] %3 %2   | %4 = pack_conv_weight u8[18432] %2
%5 = transpose f32[2, 32, 6, 6] %4 | %5 = conv_of_packed f32[2, 6, 6, 32] %3 %4
%6 = exp f32[2, 32, 6, 6] %5       | %6 = transpose f32[2, 32, 6, 6] %5
%7 = conv f32[2, 6, 6, 32] %3 %1   | %7 = exp f32[2, 32, 6, 6] %6
%8 = transpose f32[2, 32, 6, 6] %7 | %8 = pack_conv_weight u8[18432] %1
return %8 %6                       | %9 = conv_of_packed f32[2, 6, 6, 32] %3 %8
                                   | %10 = transpose f32[2, 32, 6, 6] %9
                                   | return %10 %7
)");
}

TEST_CASE("packing: not of an argument, nor of a variable that the step writes", "[pass][packing]") {
  const Graph graph = traced([](const Tensor& images, const Tensor& weight) { return conv2d(images, weight); }, x, w);
  for (const auto pass : {weight_is_argument, weight_is_updated})
    CHECK_DRAWN(drawn_plainly(pass, graph), R"(
%0 = input f32[2, 16, 8, 8]
%1 = input f32[32, 16, 3, 3]
%2 = transpose f32[2, 8, 8, 16] %0
%3 = conv f32[2, 6, 6, 32] %2 %1
%4 = transpose f32[2, 32, 6, 6] %3
return %4
(the same)
)");
}
