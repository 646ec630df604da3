// SubstituteScope: a model called with other values than its variables have.
//
//     Gradients fast = tape.gradient(loss, net);               // on a tape that records on
//     for (auto& [v, t] : fast) t = Variable::handle(v) - 0.1 * t;
//     const SubstituteScope scope(fast);
//     const Tensor after = loss_of(net(x));                    // of the weights after that step, and differentiable
#pragma once

#include "gradients.h"

namespace weft {

/// While it lives, what this thread reads of these variables are these tensors, and gradients go to what they were
/// computed from: the source is the tensor, not its variable (a second step differentiates for `fast`, watched). An
/// undefined one leaves its variable as it is. Assignments and optimizers change the variables, from what they hold
/// themselves. Compiled functions run as plain code. Scopes nest. ShapeError, DTypeError for what a variable could not
/// hold.
class SubstituteScope {
 public:
  [[nodiscard]] explicit SubstituteScope(const Gradients& values, Site site = Site::current());
  ~SubstituteScope();
  SubstituteScope(const SubstituteScope&) = delete;

 private:
  detail::Substitutes substitutes_;
};

}  // namespace weft
