#include "graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

namespace weft {

ValueId Graph::add_input(const Type& type) {
  values.push_back({type, Value::input, static_cast<std::uint32_t>(inputs.size())});
  inputs.push_back(static_cast<ValueId>(values.size() - 1));
  return inputs.back();
}

void Graph::name_input(std::uint32_t input, std::string name) {
  if (names.size() <= input) names.resize(input + 1);
  names[input] = std::move(name);
}

std::string Graph::input_name(std::uint32_t input) const {
  return input < names.size() && !names[input].empty() ? " \"" + names[input] + "\"" : "";
}

ValueId Graph::add_constant(const Tensor& tensor) {
  std::uint64_t key = tensor.id();
  if (tensor.size() == 1 && tensor.rank() == 0) {  // by value
    std::uint64_t bits = 0;
    std::memcpy(&bits, tensor.view().data, size_of(tensor.dtype()));
    key = 0x8000000000000000u | static_cast<std::uint64_t>(tensor.dtype());
    detail::mix(key, bits);
    key |= 0x8000000000000000u;  // ids never reach this bit
  }
  if (const auto it = constants_by_key_.find(key); it != constants_by_key_.end()) {
    const Tensor& held = constants[values[it->second].index];
    if (held.type() == tensor.type() &&
        (held.same(tensor) ||
         (held.rank() == 0 && !std::memcmp(held.view().data, tensor.view().data, size_of(tensor.dtype())))))
      return it->second;
  }
  values.push_back({tensor.type(), Value::constant, static_cast<std::uint32_t>(constants.size())});
  constants.push_back(tensor);
  return constants_by_key_[key] = static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add(const Op& op, const Attrs& attrs, std::span<const ValueId> in, std::span<const Type> out,
                   const Origin& site) {
  std::uint64_t hash = attrs.hash();
  detail::mix(hash, reinterpret_cast<std::uintptr_t>(&op));
  for (const ValueId v : in) detail::mix(hash, v);
  const auto [first, last] = nodes_by_hash_.equal_range(hash);
  for (auto it = first; it != last && equal == EqualNodes::merged && !op.effect; ++it) {
    const Node& n = nodes[it->second];
    if (n.op == &op && n.attrs == attrs && std::equal(n.in.begin(), n.in.end(), in.begin(), in.end())) return n.out;
  }
  const auto index = static_cast<std::uint32_t>(nodes.size());
  const auto first_out = static_cast<ValueId>(values.size());
  nodes.push_back({&op, attrs, {in.begin(), in.end()}, first_out, static_cast<int>(out.size()), site});
  for (const Type& t : out) values.push_back({t, Value::computed, index});
  nodes_by_hash_.emplace(hash, index);
  return first_out;
}

std::vector<const Type*> Graph::input_types(const Node& n) const {
  std::vector<const Type*> types;
  for (const ValueId v : n.in) types.push_back(&type(v));
  return types;
}

std::vector<Type> Graph::output_types(const Node& n) const {
  std::vector<Type> types;
  for (const ValueId v : n.values()) types.push_back(type(v));
  return types;
}

std::string Graph::text() const {
  std::string s;
  std::size_t node = 0;
  for (ValueId v = 0; v < values.size(); ++v) {
    const Value& value = values[v];
    if (value.kind == Value::input) {
      s += fmt::format("%{} = input {}{}\n", v, value.type.text(), input_name(value.index));
    } else if (value.kind == Value::constant) {
      const Tensor& c = constants[value.index];
      s += c.rank() == 0 ? fmt::format("%{} = constant {} {:.9g}\n", v, value.type.text(), c.item())
                         : fmt::format("%{} = constant {}{}\n", v, value.type.text(),
                                       c.name().empty() ? "" : " \"" + c.name() + "\"");
    } else if (node < nodes.size() && nodes[node].out == v) {
      const Node& n = nodes[node++];
      const std::string attrs = n.attrs.text();
      s += fmt::format("%{} = {} {}{}{}\n", fmt::join(n.values(), ", %"), n.op->name, value.type.text(),
                       n.in.empty() ? "" : fmt::format(" %{}", fmt::join(n.in, " %")),
                       attrs.empty() ? "" : " {" + attrs + "}");
    }
  }
  s += fmt::format("return{}{}\n", outputs.empty() ? "" : " %", fmt::join(outputs, " %"));
  return s;
}

void Graph::verify() const {
  const auto fail = [&](std::size_t i, const std::string& what) {
    throw ArgumentError(fmt::format("graph: node {} ({}): {}", i, nodes[i].op->name, what));
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& n = nodes[i];
    for (const ValueId v : n.in)
      if (v >= n.out) fail(i, fmt::format("operand %{} comes after its use", v));
    if (n.op->graphs)
      for (const auto& body : n.op->graphs(n.attrs)) body->verify();
    std::vector<Type> out(static_cast<std::size_t>(n.outputs));
    n.op->infer(n.attrs, input_types(n), out);
    for (std::size_t k = 0; k < out.size(); ++k)
      if (out[k] != values[n.out + k].type)
        fail(i, fmt::format("its type is {}, not {}", out[k].text(), values[n.out + k].type.text()));
  }
}

bool has(bool Op::*property, const Op& op, const Attrs& attrs) {
  if (op.*property || !op.graphs) return op.*property;
  for (const auto& graph : op.graphs(attrs))
    for (const Graph::Node& n : graph->nodes)
      if (has(property, *n.op, n.attrs)) return true;
  return false;
}

void GraphCopy::inputs() {
  for (const ValueId v : from_.inputs) input(v);
}

void GraphCopy::input(ValueId v) {
  map_[v] = to.add_input(from_.type(v));
  if (const std::uint32_t i = from_.values[v].index; i < from_.names.size())
    to.name_input(to.values[map_[v]].index, from_.names[i]);
}

ValueId GraphCopy::operator()(ValueId v) {
  if (map_[v] == unmapped && from_.values[v].kind == Graph::Value::constant)
    map_[v] = to.add_constant(from_.constants[from_.values[v].index]);
  return map_[v];
}

std::vector<ValueId> GraphCopy::operands(const Graph::Node& n) {
  std::vector<ValueId> in;
  for (const ValueId v : n.in) in.push_back((*this)(v));
  return in;
}

void GraphCopy::node(const Graph::Node& n) {
  const ValueId out = to.add(*n.op, n.attrs, operands(n), from_.output_types(n), n.site);
  for (const ValueId v : n.values()) map_[v] = out + (v - n.out);
}

void GraphCopy::nodes() {
  for (const Graph::Node& n : from_.nodes) node(n);
}

Graph GraphCopy::returning(std::span<const ValueId> outputs) {
  for (const ValueId v : outputs) to.outputs.push_back((*this)(v));
  return std::move(to);
}

Graph with_constants(const Graph& graph, std::span<const Tensor> tensors, EqualNodes equal) {
  GraphCopy copy(graph, equal);
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    if (tensors[k].defined())
      copy.set(graph.inputs[k], copy.to.add_constant(tensors[k]));
    else
      copy.input(graph.inputs[k]);
  }
  copy.nodes();
  return copy.returning(graph.outputs);
}

Graph merged(const Graph& graph) {
  if (graph.equal == EqualNodes::merged) return graph;
  GraphCopy copy(graph, EqualNodes::merged);
  copy.inputs();
  copy.nodes();
  return copy.returning(graph.outputs);
}

Graph without_dead_nodes(const Graph& graph) {
  std::vector<bool> live(graph.values.size());
  for (const ValueId v : graph.outputs) live[v] = true;
  std::vector<bool> keep(graph.nodes.size());
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Graph::Node& n = graph.nodes[i];
    bool needed = has(&Op::checks, *n.op, n.attrs) || has(&Op::effect, *n.op, n.attrs);
    for (const ValueId v : n.values()) needed |= live[v];
    if (!needed) continue;
    keep[i] = true;
    for (const ValueId v : n.in) live[v] = true;
  }
  GraphCopy copy(graph);
  copy.inputs();
  for (ValueId v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].kind == Graph::Value::constant && live[v]) copy(v);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (keep[i]) copy.node(graph.nodes[i]);
  return copy.returning(graph.outputs);
}

}  // namespace weft
