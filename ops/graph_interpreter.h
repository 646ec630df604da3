// Running a graph node by node: what eager control flow does with its bodies.
#pragma once

#include <memory>
#include <vector>

#include "graph.h"
#include "op.h"

namespace weft {

/// Keeps a buffer for each value from run to run.
class GraphInterpreter final : public GraphRunner {
 public:
  explicit GraphInterpreter(std::shared_ptr<const Graph> graph);
  void run(Views in, Views out) override;

 private:
  std::shared_ptr<const Graph> graph_;
  std::vector<View> views_;
  std::vector<Storage> buffers_;
};

/// Adds to an error of a node's op what the op did not know: operands and call site.
void locate(Error& error, const Graph::Node& node, Views in);

/// Runs an op of control flow.
void interpret_graphs(const Op& op, const Attrs& attrs, Views in, Views out);

}  // namespace weft
