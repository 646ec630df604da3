// Losses. Labels come first, as in TensorFlow. Shapes must be equal: a loss never broadcasts (ShapeError names both).
// On bf16 and f16 they compute in f32 and round once at the end; within a PrecisionScope they give f32.
#pragma once

#include <cstdint>
#include <optional>

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

/// The same of probabilities in [0, 1] instead of logits: -z log(p) - (1 - z) log(1 - p). Logarithms are held from -100
/// up, as PyTorch does, so that a wrong certainty costs 100; its gradient there is 0. Prefer the logits if you have
/// them.
Tensor binary_cross_entropy(const Arg& labels, const Arg& probabilities);

struct CrossEntropyOptions {
  double label_smoothing = 0;               ///< of a label so much, in [0, 1], is spread over all classes evenly
  std::optional<std::int64_t> ignore = {};  ///< examples of this class number, which may be none, have loss 0
  Tensor class_weights = {};  ///< [classes], of the logits' dtype, from 0: factors of each class's part of the loss
};

/// One number an example: the cross-entropy of softmax(logits [..., classes]) along the last axis. Labels are class
/// numbers, i32 or i64, of shape [...], or probabilities of the logits' dtype and shape. Take the mean().
/// IndexError for a class out of range, DTypeError for class numbers that are floats, ShapeError; ArgumentError for
/// options that can't be.
///
/// With the options it is -sum(w q log_softmax(logits), -1), where q are the smoothed labels and w the weights. Where
/// examples are ignored, their mean is over the others:
///     const Tensor losses = nn::softmax_cross_entropy(labels, logits, {.ignore = -100});
///     const Tensor loss = sum(losses) / sum(cast(not_equal(labels, -100), f32));
Tensor softmax_cross_entropy(const Arg& labels, const Arg& logits, const CrossEntropyOptions& options = {});

/// One number an example: sum(p (log p - log q), -1), how far the distributions p of labels are from those that q
/// gives, both [..., classes] of probabilities from 0; 0 where p is 0. Kullback and Leibler, 1951. Take the mean().
Tensor kl_divergence(const Arg& labels, const Arg& probabilities);

}  // namespace weft::nn
