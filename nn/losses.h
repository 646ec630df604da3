// Losses. Labels come first, as in TensorFlow. Shapes must be equal: a loss never broadcasts (ShapeError names both).
// On bf16 and f16 they compute in f32 and round once at the end; within a PrecisionScope they give f32.
#pragma once

#include "../ops/arg.h"

namespace weft::nn {

/// The mean over all elements of (labels - predictions)^2: one number. Floats of one dtype.
Tensor mse(const Arg& labels, const Arg& predictions);
/// The mean over all elements of |labels - predictions|; its gradient at 0 is 0.
Tensor mae(const Arg& labels, const Arg& predictions);
/// The mean over all elements of d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) elsewhere. Huber, 1964.
/// ArgumentError if delta is not above 0 and finite.
Tensor huber(const Arg& labels, const Arg& predictions, double delta = 1);

/// Element by element, the cross-entropy of sigmoid(logits) with labels in [0, 1], without overflow:
/// max(x, 0) - x z + log(1 + e^-|x|). Take the mean().
Tensor sigmoid_cross_entropy_with_logits(const Arg& labels, const Arg& logits);

/// One number an example: the cross-entropy of softmax(logits [..., classes]) along the last axis. Labels are class
/// numbers, i32 or i64, of shape [...], or probabilities of the logits' dtype and shape. Take the mean().
/// IndexError for a class out of range, DTypeError for class numbers that are floats, ShapeError.
Tensor softmax_cross_entropy(const Arg& labels, const Arg& logits);

}  // namespace weft::nn
