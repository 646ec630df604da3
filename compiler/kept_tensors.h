// The tensors of kept values, beside the step that reads them: see kept.h.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "../ops/variable.h"
#include "kept.h"

namespace weft {

class Executable;

/// Any thread may call. A value of a variable is known by its tensor's id, which is new after each assignment.
class KeptTensors {
 public:
  struct Set {
    std::vector<std::uint64_t> made_from;  // by variable of the step: the id of its value
    std::vector<Tensor> values;
  };
  using Variables = std::span<const std::shared_ptr<VariableState>>;

  explicit KeptTensors(std::vector<KeptValue> values);
  ~KeptTensors();
  /// Once, before the first take().
  void compile();

  /// The values for these variables as they are: those held, computed anew where they are of other values. They are the
  /// caller's alone if `to_write`: nothing is held until it gives them back.
  std::shared_ptr<Set> take(Variables variables, bool to_write);
  /// After a step that wrote its variables: holds what take() gave, now of the variables' new values.
  void give_back(std::shared_ptr<Set> set, Variables variables);

  const std::vector<KeptValue>& values() const { return values_; }
  /// How often one has been computed outside the step.
  std::size_t made() const;

 private:
  const std::vector<KeptValue> values_;
  std::vector<std::unique_ptr<Executable>> makers_;  // of each
  mutable std::mutex mutex_;
  std::shared_ptr<Set> held_;  // others may be reading it
  std::size_t made_ = 0;
};

}  // namespace weft
