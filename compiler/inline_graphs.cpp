#include "inline_graphs.h"

#include <algorithm>

namespace weft {

std::vector<ValueId> append(Graph& to, const Graph& from, std::span<const ValueId> inputs) {
  std::vector<ValueId> place(from.values.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) place[from.inputs[k]] = inputs[k];
  for (ValueId v = 0; v < from.values.size(); ++v)
    if (from.values[v].kind == Graph::Value::constant) place[v] = to.add_constant(from.constants[from.values[v].index]);
  for (const Graph::Node& n : from.nodes) {
    std::vector<ValueId> in, out;
    for (const ValueId v : n.in) in.push_back(place[v]);
    if (n.op->inlined) {
      out = append(to, *n.op->graphs(n.attrs)[0], in);
    } else {
      const ValueId first = to.add(*n.op, n.attrs, in, from.output_types(n), n.site);
      for (const ValueId v : n.values()) out.push_back(first + (v - n.out));
    }
    std::copy(out.begin(), out.end(), place.begin() + n.out);
  }
  std::vector<ValueId> outputs;
  for (const ValueId v : from.outputs) outputs.push_back(place[v]);
  return outputs;
}

Graph inline_graphs(const Graph& graph) {
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), [](const Graph::Node& n) { return n.op->inlined; }))
    return graph;
  Graph g;
  for (const ValueId v : graph.inputs) g.add_input(graph.type(v));
  g.names = graph.names;
  const std::vector<ValueId> inputs = g.inputs;
  g.outputs = append(g, graph, inputs);
  return g;
}

}  // namespace weft
