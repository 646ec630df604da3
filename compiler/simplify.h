// Passes over a Graph: pure, each from one graph to another. A rewrite is exact for ±0, ±inf, NaN and subnormals.
#pragma once

#include "../ops/graph.h"

namespace weft {

class PassLog;

/// Puts a graph's nodes at the end of another, for these inputs; its outputs there. Nodes that stand for a graph become
/// that graph's nodes.
std::vector<ValueId> append(Graph& to, const Graph& from, std::span<const ValueId> inputs);

/// Nodes that stand for a graph (Op::inlined) become that graph's nodes.
Graph inline_graphs(const Graph& graph);

/// Nodes whose operands are all scalar constants (or scalars broadcast) become constants: they are run now, by the same
/// kernels. An elementwise op on operands that are all broadcasts of scalars becomes the broadcast of the op on
/// scalars.
Graph fold_constants(const Graph& graph);

/// If v is one element repeated (a 0-d value broadcast), the 0-d value; v itself if it is 0-d; else false.
bool scalar_source(const Graph& graph, ValueId v, ValueId& source);

/// All passes, in order; dead nodes are gone. Verified after each one where verifies(). `log`: what each one made.
Graph simplify(const Graph& graph, PassLog* log = nullptr);

}  // namespace weft
