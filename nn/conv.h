// Convolution layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "../autograd/structure.h"
#include "../ops/conv.h"
#include "../ops/flag.h"
#include "init.h"

namespace weft::nn {

/// conv1d, conv2d or conv3d with a weight [out, in / groups, window...] and a bias [out], 0 at first.
///
///     nn::Conv2d conv(1, 16, 3, {.padding = Pad::same});
template <int axes> struct Conv {
  Variable weight;
  std::optional<Variable> bias;  ///< empty if the layer has none
  ConvOptions options;

  /// ArgumentError if an extent is below 1, or groups does not divide both.
  Conv(std::int64_t in, std::int64_t out, const PerAxis& window, const ConvOptions& options = {}, Flag bias = true,
       init::Initializer initializer = init::he_uniform, DType dtype = f32,
       random::Generator& generator = random::default_generator(), Site site = Site::current());
  /// Errors as conv2d's.
  Tensor operator()(const Arg& x) const;
  /// "Conv2d 1 -> 16, window [3, 3]"
  std::string text() const;

  WEFT_MEMBERS(weight, bias)
  WEFT_OPTIONS(options)
};
using Conv1d = Conv<1>;
using Conv2d = Conv<2>;
using Conv3d = Conv<3>;

/// conv_transpose1d, ... with a weight [in, out / groups, window...] and a bias [out], 0 at first. The initialiser sees
/// the shape of the convolution from `in` to `out`, so that the fans are those of this layer.
template <int axes> struct ConvTranspose {
  Variable weight;
  std::optional<Variable> bias;
  ConvTransposeOptions options;

  /// ArgumentError if an extent is below 1, or groups does not divide both.
  ConvTranspose(std::int64_t in, std::int64_t out, const PerAxis& window, const ConvTransposeOptions& options = {},
                Flag bias = true, init::Initializer initializer = init::he_uniform, DType dtype = f32,
                random::Generator& generator = random::default_generator(), Site site = Site::current());
  Tensor operator()(const Arg& x) const;
  /// "ConvTranspose2d 16 -> 1, window [3, 3]"
  std::string text() const;

  WEFT_MEMBERS(weight, bias)
  WEFT_OPTIONS(options)
};
using ConvTranspose1d = ConvTranspose<1>;
using ConvTranspose2d = ConvTranspose<2>;
using ConvTranspose3d = ConvTranspose<3>;

}  // namespace weft::nn
