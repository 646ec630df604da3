// The gradient and the tangents of a graph: what the rules of ops that hold graphs are made of.
#pragma once

#include <span>
#include <vector>

#include "../ops/graph.h"
#include "tape.h"

namespace weft {

struct GraphGradient {
  std::vector<Tensor> outputs;    // of the graph
  std::vector<Tensor> gradients;  // by input; undefined where none is wanted
};

/// Applies the graph to `in`, then differentiates: cotangents by output, undefined for none.
GraphGradient graph_gradient(const Graph& graph, std::span<const Tensor> in, std::span<const Tensor> cotangents,
                             const std::vector<bool>& wants, Unconnected unconnected);

struct GraphTangents {
  std::vector<Tensor> outputs;   // of the graph
  std::vector<Tensor> tangents;  // of each output; undefined where it depends on nothing that has one
};

/// Applies the graph to `in`, all of them other tensors, with these tangents: undefined for none.
GraphTangents graph_tangents(const Graph& graph, std::span<const Tensor> in, std::span<const Tensor> tangents);

}  // namespace weft
