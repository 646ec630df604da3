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
    label = fmt::format("input {}{}", value.index, graph.input_name(value.index));
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

std::string graphviz(const Graph& graph, const Grouping* grouping) {
  std::string s = "digraph weft {\n";
  for (ValueId v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].kind != Graph::Value::computed) s += value_node(graph, v);
  for (std::size_t g = 0; grouping && g < grouping->groups.size(); ++g) {
    const Group& group = grouping->groups[g];
    s += fmt::format("  subgraph cluster_{} {{\n    label=\"group {}\"; style={}\n", g, g,
                     group.fused ? "filled" : "dashed");
    for (const std::uint32_t i : group.nodes) s += node(graph, graph.nodes[i], "    ");
    s += "  }\n";
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Graph::Node& n = graph.nodes[i];
    if (!grouping || grouping->group_of[i] < 0) s += node(graph, n, "  ");  // of the groups a view is in none
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

std::string graphviz(const Graph& graph, std::span<const Step> steps, std::span<const ValueId> direct) {
  std::string s = "digraph weft {\n";
  std::vector<bool> used(graph.values.size());
  for (const Step& step : steps) each_use(graph, step, [&](ValueId v, bool) { used[v] = true; });
  std::vector<std::string> from(graph.values.size());  // by value: what wrote it last
  for (ValueId v = 0; v < graph.values.size(); ++v) {
    if (graph.values[v].kind == Graph::Value::computed || !used[v]) continue;
    s += value_node(graph, v);
    from[v] = fmt::format("v{}", v);
  }
  const auto arrow = [&](ValueId v, const std::string& to) {
    s += fmt::format("  {} -> {} [label={}]\n", from[v], to, quoted(fmt::format("%{} {}", v, graph.type(v).text())));
  };
  const auto output = [&](std::size_t k, ValueId v) {
    s += fmt::format("  output{} [shape=ellipse]\n", k);
    arrow(v, fmt::format("output{}", k));
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string name = fmt::format("s{}", i);
    s += fmt::format("  {} [shape=box, label={}]\n", name,
                     quoted(fmt::format("step {}: {}", i, step_name(graph, steps[i]))));
    each_use(graph, steps[i], [&](ValueId v, bool writes) {
      if (!writes) arrow(v, name);
    });
    each_use(graph, steps[i], [&](ValueId v, bool writes) {
      if (writes) from[v] = name;
    });
    if (const auto* copy = std::get_if<CopyStep>(&steps[i])) {
      s += fmt::format("  output{} [shape=ellipse]\n  {} -> output{}\n", copy->output, name, copy->output);
    }
  }
  for (std::size_t k = 0; k < direct.size(); ++k)
    if (direct[k] != no_value) output(k, direct[k]);
  return s + "}\n";
}

}  // namespace weft
