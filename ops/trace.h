// Trace: runs in place of the machine while a function is traced, and writes a Graph in which everything that the
// function took from its surroundings is an input.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "graph.h"
#include "recorder.h"

namespace weft {

/// What a variable holds after an assignment: `value`. State stops gradients, so none goes into the assigned value;
/// that of what is read afterwards is the variable's. In graphs only; there for gradients alone (Op::forwards).
const Op& assigned_op();

/// Held while variables, of whatever function, are written or their values fetched: a compiled call that writes, an
/// assignment, a draw. Never while code of the user's runs, which may wait for another thread.
std::unique_lock<std::recursive_mutex> lock_variables();
/// The same where what is read decides what is written. In a trace nothing is, and whoever traces holds a lock of his
/// own.
std::unique_lock<std::recursive_mutex> lock_update();

class Trace final : public Tracer {
 public:
  explicit Trace(EqualNodes equal = EqualNodes::merged);

  /// What the function took from its surroundings: a tensor (of an enclosing trace, too), or a variable that it reads
  /// or assigns.
  struct Capture {
    Tensor tensor;  // undefined for a variable
    std::shared_ptr<VariableState> variable;
    ValueId input;  // the tensor; the variable's value before the call
    Tensor value;   // of the variable now, in the trace
    bool assigned = false;
    ValueId assigned_value = 0;
    std::source_location site = {};  // of the last assignment
  };

  /// A new input of the graph, as a tensor without storage.
  Tensor add_input(const Type& type);
  /// The value that a traced (or captured) tensor is in the graph. GuardError for one of a trace that has ended.
  ValueId value_of(const Tensor& t);

  void append(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<Tensor> out) override;
  Tensor read(const std::shared_ptr<VariableState>& variable) override;
  void assign(const std::shared_ptr<VariableState>& variable, const Tensor& value) override;

  Graph graph;
  std::vector<Capture> captures;  // in the order in which the function met them; so are their inputs

 private:
  ValueId capture(const Tensor& t);
  Capture& captured(const std::shared_ptr<VariableState>& variable);
  bool nested_;             // inside another trace
  std::uint64_t first_id_;  // of tensors made since it began
  std::unordered_map<std::uint64_t, ValueId> ids_;
};

}  // namespace weft
