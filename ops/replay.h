// The one walk over a graph that applies its nodes again: to tensors (closure.cpp), to batches (batching.cpp).
#pragma once

#include <span>
#include <vector>

#include "graph.h"
#include "recorder.h"

namespace weft::detail {

/// `apply(node, in, out)` for each node in order, at its call site; constants become Value{tensor}. The outputs. Values
/// go when their last reader has had them.
template <class Value, class Apply>
std::vector<Value> replay_nodes(const Graph& graph, std::span<const Value> inputs, Apply&& apply) {
  std::vector<Value> values(graph.values.size());
  for (std::size_t k = 0; k < graph.inputs.size(); ++k) values[graph.inputs[k]] = inputs[k];
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    if (graph.values[v].kind != Graph::Value::constant) continue;
    const Tensor& constant = graph.constants[graph.values[v].index];
    values[v] = Value{Tensor::on(constant.storage(), constant.view())};  // to a trace that we are in: its own literal
  }
  std::vector<int> uses(graph.values.size());
  for (const Graph::Node& n : graph.nodes)
    for (const ValueId v : n.in) ++uses[v];
  for (const ValueId v : graph.outputs) ++uses[v];
  std::vector<Value> in;
  for (const Graph::Node& n : graph.nodes) {
    const ReplayedSite site(n.site);
    in.clear();
    for (const ValueId v : n.in) in.push_back(values[v]);
    apply(n, std::span<const Value>(in), std::span(values).subspan(n.out, static_cast<std::size_t>(n.outputs)));
    for (const ValueId v : n.in)
      if (--uses[v] == 0) values[v] = {};
  }
  std::vector<Value> out;
  for (const ValueId v : graph.outputs) out.push_back(values[v]);
  return out;
}

}  // namespace weft::detail
