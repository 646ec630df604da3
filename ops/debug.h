// Looking into a computation while it runs, compiled code included.
#pragma once

#include <iosfwd>
#include <string_view>

#include "arg.h"
#include "recorder.h"

namespace weft::debug {

/// x itself, printed when it is computed, also where its result is not used: type, range, how many NaN and Inf, and the
/// elements of few. Inside compiled code it prints on each call, in program order; inside vmap the whole batch at once,
/// examples among it for which a branch or a round is not. Gradients pass. Any dtype.
///
///     loss = debug::print(loss, "loss");  // loss: 0.6931  f32[] (train.cpp:41)
Tensor print(const Arg& x, std::string_view label = "");

/// Where print() writes from now on, in all threads; null: nowhere. At first std::cerr.
void print_to(std::ostream* stream);

/// While it lives, each op of this thread is checked, forward and in gradients, inside loops and branches too: the
/// first result with a NaN that no operand has, or an Inf where all operands are finite, throws NumericsError with the
/// op, its line, its operands and their ranges. Compiled functions run as plain code meanwhile; one that throws leaves
/// variables as they were.
///
///     debug::AnomalyScope scope;
///     step(x, y);  // in the gradient of sqrt: div: 1 of 3 elements are inf, and no operand's is: ...
class AnomalyScope : private Recorder {
 public:
  [[nodiscard]] AnomalyScope();
  ~AnomalyScope() override;
  AnomalyScope(const AnomalyScope&) = delete;

 private:
  void record(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) override;
  bool previous_;
};

}  // namespace weft::debug
