// RoundRunner: a runner that knows how carries may lie, and may take a body through all rounds of a loop in another way
// than one after the other.
#pragma once

#include <functional>

#include "../ops/graph.h"
#include "../ops/op.h"

namespace weft {

class RoundRunner : public GraphRunner {
 public:
  /// Sets what a round reads and writes; inputs that are the same in all rounds are set already. Any thread may call.
  using Operands = std::function<void(std::int64_t round, std::span<View> in, std::span<View> out)>;

  /// Whether output k may go where input k lies: a carry that is updated in place, or goes on as it is.
  virtual bool overwrites(std::size_t k) const = 0;

  /// Runs all rounds. `in`: the inputs that are the same in all rounds, behind `moving` others. False, and nothing is
  /// done, if a round needs all of the one before.
  virtual bool run_rounds(std::int64_t rounds, std::size_t moving, Views in, const Operands& operands) = 0;
};

/// Whether carry k may lie in one place through all rounds of a loop with this body, run by `runner`, if it is one.
inline bool stays_in_place(const Graph& body, const RoundRunner* runner, std::size_t k) {
  return body.outputs[k] == body.inputs[k] || (runner && runner->overwrites(k));
}

}  // namespace weft
