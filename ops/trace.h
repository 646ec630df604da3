// Trace: runs in place of the machine while a function is traced, and writes a Graph.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "graph.h"
#include "recorder.h"

namespace weft {

class Trace : public Tracer {
 public:
  /// A variable that the function reads or assigns. The graph's input `read` is its value before the call.
  struct Captured {
    std::shared_ptr<VariableState> state;
    ValueId read;
    Tensor value;  // now, in the trace
    bool assigned = false;
  };

  /// A new input of the graph, as a tensor without storage.
  Tensor add_input(const Type& type);
  /// The value that a traced (or captured) tensor is in the graph.
  ValueId value_of(const Tensor& t);

  void append(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<Tensor> out) override;
  Tensor read(const std::shared_ptr<VariableState>& variable) override;
  void assign(const std::shared_ptr<VariableState>& variable, const Tensor& value) override;

  Graph graph;
  std::vector<Captured> variables;  // in the order in which the function met them

 protected:
  /// A tensor of the surroundings: a constant of the graph; GuardError for one of another trace.
  virtual ValueId capture(const Tensor& t);

 private:
  Captured& captured(const std::shared_ptr<VariableState>& variable);
  std::unordered_map<std::uint64_t, ValueId> ids_;
};

}  // namespace weft
