// A compiled function under a tape: one op, `call`, differentiated through a compiled backward of its own.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "../ops/graph.h"

namespace weft {

class Executable;

/// A pure function of tensors, compiled when it is first run; what calls refer to.
class Callee {
 public:
  explicit Callee(std::shared_ptr<const Graph> graph);
  ~Callee();

  const Graph& graph() const { return *graph_; }
  std::string text() const;
  void run(Views in, Views out) const;

  /// The same function with further outputs: what its backward wants to know beside its inputs and results.
  std::shared_ptr<const Callee> with_residuals() const;

  /// What some cotangents make of some inputs' gradients, or some tangents of the outputs'. Computed values are taken
  /// from the outputs where they are there, else again.
  struct Derivative {
    std::shared_ptr<const Callee> callee;                // null: there is none at all
    std::vector<std::size_t> from_in, from_out, from_d;  // what it takes, in this order; last cotangents or tangents
    std::vector<std::size_t> gives;                      // for which input (forward: output), by output
  };
  const Derivative& backward(const std::vector<bool>& has_grad, const std::vector<bool>& wants) const;
  const Derivative& forward(const std::vector<bool>& has_tangent) const;

 private:
  std::shared_ptr<const Graph> graph_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<Executable> executable_;
  mutable std::shared_ptr<const Callee> with_residuals_;
  mutable std::map<std::pair<std::vector<bool>, std::vector<bool>>, Derivative> backwards_;
  mutable std::map<std::vector<bool>, Derivative> forwards_;
};

/// Applies a callee through the door: the graph's outputs. In a trace its nodes are applied one by one.
std::vector<Tensor> call(const std::shared_ptr<const Callee>& callee, std::span<const Tensor> in);

}  // namespace weft
