// Normalisation: elements less their mean, over their deviation. Plain functions over primitives, which the compiler
// makes one pass over a row that stays in the first cache.
//
// Of all: x is a float; weight (gain) and bias have its dtype, and are left out where they are undefined; the variance
// divides by the count; the result is (x - mean) / sqrt(variance + epsilon) * weight + bias. On bf16 and f16 they
// compute in f32 and round once. ShapeError, DTypeError; ArgumentError if epsilon is negative or not finite.
#pragma once

#include "arg.h"

namespace weft {

/// Over the last axes of x, whose extents are `normalized`, as are those of weight and bias. Ba et al.,
/// arXiv:1607.06450.
///     layer_norm(x, {768}, gain, bias)
Tensor layer_norm(const Arg& x, const Shape& normalized, const Tensor& weight = {}, const Tensor& bias = {},
                  double epsilon = 1e-5);
/// x / sqrt(mean(x^2) + epsilon) * weight, over the last axes. Zhang and Sennrich, arXiv:1910.07467.
Tensor rms_norm(const Arg& x, const Shape& normalized, const Tensor& weight = {}, double epsilon = 1e-5);
/// x is [N, C, ...]: over each example's groups of C / groups channels and all that follows them; weight and bias are
/// [C]. ArgumentError if `groups` does not divide C. Wu and He, arXiv:1803.08494.
Tensor group_norm(const Arg& x, std::int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double epsilon = 1e-5);
/// x is [N, C, positions...]: over each channel of each example. ShapeError without positions. Ulyanov et al.,
/// arXiv:1607.08022.
Tensor instance_norm(const Arg& x, const Tensor& weight = {}, const Tensor& bias = {}, double epsilon = 1e-5);

/// x [N, C, ...] normalised a channel at a time by the statistics given, all [C]: what a trained model does.
/// NumericsError if a variance is negative or not finite.
Tensor batch_norm(const Arg& x, const Tensor& mean, const Tensor& variance, const Tensor& weight = {},
                  const Tensor& bias = {}, double epsilon = 1e-5);

/// What batch_norm_training gives: the result, and the statistics, [C], through which gradients flow too.
struct BatchNormed {
  Tensor output, mean, variance;
};
/// The same by the mean and the variance of x itself, over all axes but 1. ArgumentError for fewer than two values a
/// channel. Ioffe and Szegedy, arXiv:1502.03167.
BatchNormed batch_norm_training(const Arg& x, const Tensor& weight = {}, const Tensor& bias = {},
                                double epsilon = 1e-5);

}  // namespace weft
