// Loss scaling: f16's least number is 6e-8, and many gradients are smaller. A loss times a large number has gradients
// that f16 can hold; they are divided by it before the update. Micikevicius et al., arXiv:1710.03740.
//
//     const nn::PrecisionScope mixed(DType::f16);
//     GradientTape tape;
//     const Tensor loss = mean(nn::softmax_cross_entropy(y, model(x)));
//     loss_scale.apply(optimizer, tape.gradient(loss_scale.scaled(loss), model));
#pragma once

#include <cstdint>

#include "optimizer.h"

namespace weft::nn {

struct LossScaleOptions {
  double initial = 65536;
  double growth = 2;     ///< after `interval` steps without overflow: scale *= growth
  double backoff = 0.5;  ///< after an overflow: scale *= backoff, but not below 1
  std::int64_t interval = 2000;
};

/// A scale that grows until gradients overflow. Its state is variables: a compiled step reads and assigns them.
class LossScale {
 public:
  /// ArgumentError if initial or growth is below 1 or not finite, initial above 2^60, backoff not in (0, 1), interval
  /// below 1.
  explicit LossScale(LossScaleOptions options = {}, Site site = Site::current());
  LossScale(const LossScale&) = delete;

  /// loss * scale, of the loss's dtype.
  Tensor scaled(const Arg& loss) const;
  /// optimizer.apply(gradients / scale), if they are all finite; else neither a variable nor the optimizer's state
  /// changes, and the scale falls. Returns whether it was applied, bool[]. Errors as of apply.
  Tensor apply(Optimizer& optimizer, const Gradients& gradients, Site site = Site::current());

  /// f32[].
  const Variable& scale() const { return scale_; }
  /// "loss_scale", and the steps since it last changed, "loss_scale.steps". What a checkpoint keeps.
  Parameters state() const;

 private:
  LossScaleOptions options_;
  Variable scale_, steps_;
};

}  // namespace weft::nn
