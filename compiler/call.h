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

  /// The part of the gradient that some cotangents make of some inputs. Computed values are taken from the outputs
  /// where they are there, else again.
  struct Backward {
    std::shared_ptr<const Callee> callee;                   // null: no gradient at all
    std::vector<std::size_t> from_in, from_out, from_grad;  // what it takes, in this order
    std::vector<std::size_t> gives;                         // for which input, by output
  };
  const Backward& backward(const std::vector<bool>& has_grad, const std::vector<bool>& wants) const;

 private:
  std::shared_ptr<const Graph> graph_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<Executable> executable_;
  mutable std::shared_ptr<const Callee> with_residuals_;
  mutable std::map<std::pair<std::vector<bool>, std::vector<bool>>, Backward> backwards_;
};

/// Applies a callee through the door: the graph's outputs. In a trace its nodes are applied one by one.
std::vector<Tensor> call(const std::shared_ptr<const Callee>& callee, std::span<const Tensor> in);

}  // namespace weft
