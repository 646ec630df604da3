// Inlined: what all ops say that stand for a graph in their attributes, and have rules of their own for it.
#pragma once

#include <memory>
#include <vector>

#include "graph.h"
#include "op.h"

namespace weft {

/// `A`: attributes with a member `graph`, whose inputs and outputs are the op's. There is an output at least.
template <class A> struct Inlined {
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool inlined = true;
  static constexpr std::uint32_t reads = reads::inputs;
  static std::vector<std::shared_ptr<const Graph>> graphs(const Attrs& attrs) { return {attrs.as<A>().graph}; }
  static void infer(const Attrs& attrs, Types, std::span<Type> out) {
    const Graph& graph = *attrs.as<A>().graph;
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = graph.type(graph.outputs[k]);
  }
  static void run_graphs(const Attrs&, std::span<GraphRunner* const> runners, Views in, Views out) {
    runners[0]->run(in, out);
  }
};

}  // namespace weft
