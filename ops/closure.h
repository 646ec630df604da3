// Closure: a function as a graph in which everything that it took from its surroundings is an input. What transforms
// functions (vmap, linearize, control flow) traces them so, and applies the graph's nodes again through the door.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "graph.h"
#include "variable.h"

namespace weft {

/// Of type [results] = graph([arguments], [captured]).
struct Closure {
  /// Its outputs: the results, then of each variable assigned what is read of it afterwards, whose gradient is the
  /// variable's: a loop carries it into its next round.
  std::shared_ptr<const Graph> graph;
  std::size_t arguments = 0, results = 0;
  /// What stands for the graph's further inputs: tensors of the surroundings and values that variables had, read (so
  /// that tapes know) when the trace had ended.
  std::vector<Tensor> captured;
  std::vector<std::shared_ptr<VariableState>> assigned;
  std::vector<std::source_location> assigned_at;
  /// For each of `assigned`: which of `captured` is the value it had before.
  std::vector<std::size_t> assigned_from;

  /// All inputs of the graph: these arguments, then what was captured.
  std::vector<Tensor> inputs(std::span<const Tensor> args) const;
  /// The graph of a rule that is given all it needs: what it captured are tensors that it made itself (an arange), and
  /// become constants.
  std::shared_ptr<const Graph> self_contained() const;
};

/// What close_over asks for to trace a function on tensors like these.
std::vector<Type> types_of(std::span<const Tensor> tensors);

/// A function on tensors.
using TensorFunction = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

/// Traces f once on placeholders of these types. GuardError if f returns an undefined tensor.
Closure close_over(std::span<const Type> types, const TensorFunction& f, EqualNodes equal = EqualNodes::merged);

/// Applies the graph's nodes in order to these inputs, through the door: recorders see each. The outputs.
std::vector<Tensor> replay(const Graph& graph, std::span<const Tensor> inputs);

}  // namespace weft
