// Transposing: how an op's outputs are computed with their axes in another order, where a transposition follows it.
#pragma once

#include <optional>
#include <span>

#include "graph.h"

namespace weft {

/// The axes that undo a transposition.
Ints inverse(const Ints& axes);
/// v transposed, a node of the graph.
ValueId transpose(Graph& graph, ValueId v, const Ints& axes, const Origin& site);

/// Passed to Op::transposed: a node, and the axes to which its outputs of as many axes are transposed; its other
/// outputs stay as they are. A rule gives the node that computes them so, to the bit the same, or nothing where there
/// is none.
class Transposing {
 public:
  const Graph::Node& node;
  const Ints& axes;

  /// `in`: the node's operands, in the graph that is written.
  Transposing(const Graph::Node& node_, const Ints& axes_, Graph& to, std::span<const ValueId> in)
      : node(node_), axes(axes_), to_(to), in_(in) {}

  /// That they are transposed so that these two axes, counted from the end, change places.
  bool swaps(int first, int second) const;

  ValueId in(int i) const { return in_[static_cast<std::size_t>(i)]; }
  std::span<const ValueId> inputs() const { return in_; }
  const Type& type(int i) const { return to_.type(in(i)); }
  /// v transposed by `axes`, too.
  ValueId transposed(ValueId v) const { return transpose(to_, v, axes, node.site); }
  void give(const Attrs& attrs, std::span<const ValueId> in);

  /// The first output of the node given, if one was.
  std::optional<ValueId> given() const { return given_; }

 private:
  Graph& to_;
  std::span<const ValueId> in_;
  std::optional<ValueId> given_;
};

}  // namespace weft
