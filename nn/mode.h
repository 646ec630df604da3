// Training or evaluating: what dropout asks. The mode belongs to the thread and to a compiled step's signature.
//
//     { nn::EvalScope eval;  Tensor p = model(x); }
#pragma once

#include "../ops/context.h"

namespace weft::nn {

/// True unless an EvalScope lives.
inline bool training() { return context().training; }

/// While it lives, the thread is in the given mode.
class ModeScope {
 public:
  [[nodiscard]] explicit ModeScope(bool training) : previous_(context().training) { context().training = training; }
  ~ModeScope() { context().training = previous_; }
  ModeScope(const ModeScope&) = delete;

 private:
  bool previous_;
};

struct EvalScope : ModeScope {
  [[nodiscard]] EvalScope() : ModeScope(false) {}
};
struct TrainScope : ModeScope {
  [[nodiscard]] TrainScope() : ModeScope(true) {}
};

}  // namespace weft::nn
