// Normalisation layers: the functions of ops/normalization.h with their weights, which are 1, and biases, 0 at first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "../autograd/structure.h"
#include "../ops/arg.h"
#include "../ops/flag.h"
#include "../tensor/create.h"

namespace weft::nn {

/// [N, C, ...] a channel at a time. In training mode by the batch's own statistics, of which the running ones take
/// their share: running = (1 - momentum) running + momentum batch, the variance there divided by the count less one, as
/// PyTorch's; in evaluation by the running ones. ArgumentError for a single value a channel in training, NumericsError
/// if a running variance is negative.
struct BatchNorm {
  std::optional<Variable> weight, bias;  ///< empty if the layer is not affine
  Variable running_mean, running_var;    ///< not trained; 0 and 1 at first
  double epsilon, momentum;

  /// ArgumentError if channels is below 1 or momentum not in [0, 1].
  explicit BatchNorm(std::int64_t channels, double epsilon = 1e-5, double momentum = 0.1, Flag affine = true,
                     DType dtype = f32, Site site = Site::current());
  Tensor operator()(const Arg& x) const;
  /// "BatchNorm 64"
  std::string text() const;

  WEFT_MEMBERS(weight, bias, running_mean, running_var)
  WEFT_OPTIONS(epsilon, momentum)
};

/// Over the last axes, whose extents are given: LayerNorm({768}).
struct LayerNorm {
  std::optional<Variable> weight, bias;
  Shape normalized;
  double epsilon;

  /// ArgumentError if there is no extent or one is below 1.
  explicit LayerNorm(const Shape& normalized, double epsilon = 1e-5, Flag affine = true, Flag bias = true,
                     DType dtype = f32, Site site = Site::current());
  Tensor operator()(const Arg& x) const;
  /// "LayerNorm [768]"
  std::string text() const;

  WEFT_MEMBERS(weight, bias)
  WEFT_OPTIONS(normalized, epsilon)
};

/// Over the last axes, by the root of the mean square alone.
struct RMSNorm {
  std::optional<Variable> weight;
  Shape normalized;
  double epsilon;

  /// ArgumentError if there is no extent or one is below 1.
  explicit RMSNorm(const Shape& normalized, double epsilon = 1e-5, Flag affine = true, DType dtype = f32,
                   Site site = Site::current());
  Tensor operator()(const Arg& x) const;
  /// "RMSNorm [768]"
  std::string text() const;

  WEFT_MEMBERS(weight)
  WEFT_OPTIONS(normalized, epsilon)
};

/// [N, C, ...]: over groups of channels.
struct GroupNorm {
  std::optional<Variable> weight, bias;
  std::int64_t groups, channels;
  double epsilon;

  /// ArgumentError if an extent is below 1 or groups does not divide channels.
  GroupNorm(std::int64_t groups, std::int64_t channels, double epsilon = 1e-5, Flag affine = true, DType dtype = f32,
            Site site = Site::current());
  Tensor operator()(const Arg& x) const;
  /// "GroupNorm 8 groups of 32"
  std::string text() const;

  WEFT_MEMBERS(weight, bias)
  WEFT_OPTIONS(groups, channels, epsilon)
};

/// [N, C, ...]: over each channel of each example. As PyTorch's, it has no weight and bias unless it is asked for them.
struct InstanceNorm {
  std::optional<Variable> weight, bias;
  std::int64_t channels;
  double epsilon;

  /// ArgumentError if channels is below 1.
  explicit InstanceNorm(std::int64_t channels, double epsilon = 1e-5, Flag affine = false, DType dtype = f32,
                        Site site = Site::current());
  Tensor operator()(const Arg& x) const;
  /// "InstanceNorm 64"
  std::string text() const;

  WEFT_MEMBERS(weight, bias)
  WEFT_OPTIONS(channels, epsilon)
};

}  // namespace weft::nn
