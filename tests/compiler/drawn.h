// Passes as drawings: in each test what a pass is given stands to the left, what it makes of that to the right.
//
//     CHECK_DRAWN(drawn(fold_constants, traced([](const Tensor& x) { return x + exp(tensor(0)); }, Type{f32, {}})), R"(
//     %0 = input f32[]                | %0 = input f32[]
//     %1 = constant f32[] 0           | %1 = constant f32[] 1
//     %2 = exp f32[] %1               | %2 = add f32[] %0 %1
//     %3 = add f32[] %0 %2            | return %2
//     return %3                       |
//     )");
#pragma once

#include <weft/autograd/structure.h>
#include <weft/compiler/executable.h>
#include <weft/compiler/fold_constants.h>
#include <weft/compiler/groups.h>
#include <weft/compiler/inline_graphs.h>
#include <weft/ops/trace.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "../support.h"

namespace weft::test {

/// The graph of f, of inputs of these types, as it was written down.
template <class F, class... T> Graph traced(F f, const T&... types) {
  Trace trace;
  const std::tuple inputs{trace.add_input(types)...};
  const TraceScope scope(&trace);
  for (const Tensor& t : detail::leaves_of(std::apply(f, inputs))) trace.graph.outputs.push_back(trace.value_of(t));
  return trace.graph;
}

/// Two texts side by side.
inline std::string beside(const std::string& left, const std::string& right) {
  const auto lines = [](const std::string& text) {
    std::vector<std::string> list;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) list.push_back(line);
    return list;
  };
  std::vector<std::string> a = lines(left), b = lines(right);
  a.resize(std::max(a.size(), b.size()));
  b.resize(a.size());
  std::size_t width = 0;
  for (const std::string& line : a) width = std::max(width, line.size());
  std::string s = "\n";
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i].resize(width, ' ');
    s += a[i] + (b[i].empty() ? " |" : " | ") + b[i] + "\n";
  }
  return s;
}

/// A pass over graphs; a graph that it leaves alone is drawn once.
inline std::string drawn(Graph (*pass)(const Graph&), const Graph& graph) {
  const Graph after = pass(graph);
  after.verify();
  return after.text() == graph.text() ? "\n" + graph.text() + "(the same)\n" : beside(graph.text(), after.text());
}

/// Into which loops a graph's nodes go.
inline std::string drawn_groups(const Graph& graph) {
  return beside(graph.text(), group_nodes(graph, std::vector<bool>(graph.values.size())).text(graph));
}

/// The steps that a graph becomes. Its last outputs, as many as `states`, are the new values of as many variables, its
/// last inputs.
inline std::string drawn_plan(const Graph& graph, std::size_t states = 0) {
  std::vector<std::size_t> written;
  for (std::size_t k = 0; k < states; ++k) written.push_back(k);
  return beside(graph.text(),
                Executable(graph, graph.inputs.size() - states, graph.outputs.size() - states, written).dump("plan"));
}

/// What of a graph is kept. Its last inputs, as many as `variables`, are variables; its last outputs, as many as
/// `states`, are the new values of the first of these.
inline std::string drawn_kept(const Graph& graph, std::size_t variables, std::size_t states = 0) {
  std::vector<std::size_t> written;
  for (std::size_t k = 0; k < states; ++k) written.push_back(k);
  const std::string after =
      Executable(graph, graph.inputs.size() - variables, graph.outputs.size() - states, written).dump("graph");
  return after == graph.text() ? "\n" + after + "(the same)\n" : beside(graph.text(), after);
}

}  // namespace weft::test

/// So that the raw string begins on a line of its own.
#define CHECK_DRAWN(drawing, expected) CHECK((drawing) == std::string(expected))
