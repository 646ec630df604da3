// RoundRunner: a runner that may take a body through all rounds of a loop in another way than one after the other.
#pragma once

#include <functional>

#include "../ops/op.h"

namespace weft {

class RoundRunner : public GraphRunner {
 public:
  /// Sets what a round reads and writes; inputs that are the same in all rounds are set already. Any thread may call.
  using Operands = std::function<void(std::int64_t round, std::span<View> in, std::span<View> out)>;

  /// Runs all rounds. `in`: the inputs that are the same in all rounds, behind `moving` others. False, and nothing is
  /// done, if a round needs all of the one before.
  virtual bool run_rounds(std::int64_t rounds, std::size_t moving, Views in, const Operands& operands) = 0;
};

}  // namespace weft
