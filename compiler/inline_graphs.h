#pragma once

#include <span>
#include <vector>

#include "../ops/graph.h"

namespace weft {

/// Puts a graph's nodes at the end of another, for these inputs; its outputs there. Nodes that stand for a graph become
/// that graph's nodes.
std::vector<ValueId> append(Graph& to, const Graph& from, std::span<const ValueId> inputs);

/// A pass: nodes that stand for a graph (Op::inlined) become that graph's nodes.
Graph inline_graphs(const Graph& graph);

}  // namespace weft
