// Graph: what a trace writes down, in SSA form. Append-only; structurally equal nodes are one (common subexpressions
// are shared by construction), unless it is told to keep them.
#pragma once

#include <cstdint>
#include <ranges>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "../tensor/scope.h"
#include "op.h"

namespace weft {

using ValueId = std::uint32_t;

enum class EqualNodes : std::uint8_t { merged, kept };

struct Graph {
  struct Node {
    const Op* op;
    Attrs attrs;
    std::vector<ValueId> in;
    ValueId out;  // of the first output; the others follow
    int outputs;
    Origin site;

    /// The ids of its outputs, in order.
    auto values() const { return std::views::iota(out, out + static_cast<ValueId>(outputs)); }
  };
  /// A value is an input, a constant, or an output of a node.
  struct Value {
    Type type;
    enum Kind : std::uint8_t { input, constant, computed } kind;
    std::uint32_t index;  // of the input, the constant, or the node
  };

  std::vector<Value> values;
  std::vector<Node> nodes;         // in an order in which they can run
  std::vector<ValueId> inputs;     // values, in order
  std::vector<std::string> names;  // of inputs, for those who look into it; of the first ones or none
  std::vector<Tensor> constants;   // captured tensors
  std::vector<ValueId> outputs;
  EqualNodes equal = EqualNodes::merged;  // kept: a gradient adds the cotangents of each in turn, as a tape does

  ValueId add_input(const Type& type);
  void name_input(std::uint32_t input, std::string name);
  /// " \"fc1.weight\"", or nothing.
  std::string input_name(std::uint32_t input) const;
  /// A captured tensor; the same tensor, and equal scalars, are one value.
  ValueId add_constant(const Tensor& tensor);
  /// A node, or, if they are merged, the equal one there is (an effect twice is two); its first output.
  ValueId add(const Op& op, const Attrs& attrs, std::span<const ValueId> in, std::span<const Type> out,
              const Origin& site = {});

  const Type& type(ValueId v) const { return values[v].type; }
  std::vector<const Type*> input_types(const Node& n) const;
  std::vector<Type> output_types(const Node& n) const;
  /// The node that computes v, or null.
  const Node* producer(ValueId v) const {
    return values[v].kind == Value::computed ? &nodes[values[v].index] : nullptr;
  }
  /// True if v is a constant of one element.
  bool is_scalar_constant(ValueId v) const {
    return values[v].kind == Value::constant && constants[values[v].index].size() == 1;
  }

  /// One line a value: "%3 = add f32[2, 3] %1 %2". The same graph gives the same text.
  std::string text() const;
  /// ArgumentError if an operand comes after its use or a type is not what the op infers.
  void verify() const;

 private:
  std::unordered_multimap<std::uint64_t, std::uint32_t> nodes_by_hash_;
  std::unordered_map<std::uint64_t, ValueId> constants_by_key_;
};

/// True if the op has this property (&Op::checks, &Op::effect, &Op::draws), or one in the graphs that its attributes
/// hold.
bool has(bool Op::*property, const Op& op, const Attrs& attrs);

/// Copies a graph into another, node by node: a pass changes what it wants to and copies the rest.
class GraphCopy {
 public:
  /// Into a graph that merges as the first one does.
  explicit GraphCopy(const Graph& from) : GraphCopy(from, from.equal) {}
  GraphCopy(const Graph& from, EqualNodes equal) : from_(from), map_(from.values.size(), unmapped) { to.equal = equal; }

  /// Where a value of the first graph is in the second; an input or a computed value has to be there already.
  ValueId operator()(ValueId v);
  bool has(ValueId v) const { return map_[v] != unmapped; }
  void set(ValueId from, ValueId to) { map_[from] = to; }
  /// What a node reads, in the second graph.
  std::vector<ValueId> operands(const Graph::Node& n);
  void input(ValueId v);
  void inputs();
  void node(const Graph::Node& n);
  void nodes();
  /// The second graph, finished: it returns what these values of the first are there.
  Graph returning(std::span<const ValueId> outputs);
  /// The whole, finished: each node as f(node) makes it, copied where that gives false.
  template <class F> Graph rewrite(F&& f) {
    inputs();
    for (const Graph::Node& n : from_.nodes)
      if (!f(n)) node(n);
    return returning(from_.outputs);
  }

  Graph to;

 private:
  static constexpr ValueId unmapped = UINT32_MAX;
  const Graph& from_;
  std::vector<ValueId> map_;
};

/// The graph with these in place of its inputs, as constants; an input stays where one is undefined.
Graph with_constants(const Graph& graph, std::span<const Tensor> tensors, EqualNodes equal);

/// The graph with one of each set of equal nodes.
Graph merged(const Graph& graph);

/// The graph without nodes that no output, no check and no effect needs; inputs stay, in order.
Graph without_dead_nodes(const Graph& graph);

}  // namespace weft
