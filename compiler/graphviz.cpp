#include "graphviz.h"

#include <fmt/format.h>

namespace weft {
namespace {

// Quotes and backslashes of names escaped, as a string of dot's.
std::string quoted(const std::string& text) {
  std::string s = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') s += '\\';
    s += c;
  }
  return s + "\"";
}

std::string value_node(const Graph& graph, ValueId v) {
  const Graph::Value& value = graph.values[v];
  std::string label;
  if (value.kind == Graph::Value::input) {
    label = fmt::format("input {}", value.index);
  } else {
    const Tensor& c = graph.constants[value.index];
    label = c.rank() == 0 ? fmt::format("{:.6g}", c.item()) : c.name().empty() ? std::string("constant") : c.name();
  }
  const std::string text = quoted(label + " " + value.type.text());
  return fmt::format("  v{} [shape={}, label={}]\n", v, value.kind == Graph::Value::input ? "ellipse" : "plaintext",
                     text);
}

std::string node(const Graph& graph, const Graph::Node& n, std::string_view indent) {
  const std::string attrs = n.attrs.text();
  const std::string label =
      fmt::format("{} {}{}", n.op->name, graph.type(n.out).text(), attrs.empty() ? "" : " " + attrs);
  return fmt::format("{}v{} [shape=box, label={}]\n", indent, n.out, quoted(label));
}

}  // namespace

std::string graphviz(const Graph& graph, const Grouping& grouping) {
  std::string s = "digraph weft {\n";
  for (ValueId v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].kind != Graph::Value::computed) s += value_node(graph, v);
  for (std::size_t g = 0; g < grouping.groups.size(); ++g) {
    const Group& group = grouping.groups[g];
    s += fmt::format("  subgraph cluster_{} {{\n    label=\"group {}\"; style={}\n", g, g,
                     group.fused ? "filled" : "dashed");
    for (const std::uint32_t i : group.nodes) s += node(graph, graph.nodes[i], "    ");
    s += "  }\n";
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Graph::Node& n = graph.nodes[i];
    if (grouping.group_of[i] < 0) s += node(graph, n, "  ");  // a view
    for (const ValueId v : n.in) {
      const Graph::Node* producer = graph.producer(v);
      s += fmt::format("  v{} -> v{}\n", producer ? producer->out : v, n.out);
    }
  }
  for (std::size_t k = 0; k < graph.outputs.size(); ++k) {
    const Graph::Node* producer = graph.producer(graph.outputs[k]);
    s += fmt::format("  output{} [shape=ellipse]\n  v{} -> output{}\n", k, producer ? producer->out : graph.outputs[k],
                     k);
  }
  return s + "}\n";
}

}  // namespace weft
