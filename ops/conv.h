// Convolutions over one, two or three axes.
//
// Layouts: by default channels come first, as in PyTorch: x is [n, in, axes...], the result [n, out, axes...]. With
// channels_last x is [n, axes..., in] and the result [n, axes..., out]: what is computed on either way, so a model that
// keeps to it copies nothing in eager mode. The weight is [out, in / groups, window...] in both.
#pragma once

#include "arg.h"
#include "window.h"

namespace weft {

struct ConvOptions {
  PerAxis stride = 1;
  Padding padding = Pad::valid;  ///< conv2d(x, w, {.padding = 1}), {.padding = Pad::same}, or Padding(before, after)
  PerAxis dilation = 1;
  std::int64_t groups = 1;  ///< channels in so many parts, each on its own; as many as channels: depthwise
  bool channels_last = false;
  WEFT_OPTIONS(stride, padding, dilation, groups, channels_last)
};

/// result[n, o, i] = sum over c, k of x[n, c, i * stride - before + k * dilation] * weight[o, c, k], and bias[o] where
/// there is one: what deep learning calls a convolution. Floats; bf16 and f16 are summed in f32 and rounded, and with
/// the bias once more, as by nn::Linear. An empty batch, or no output channels, gives an empty result; no input channels
/// give zeros. ShapeError, DTypeError; ArgumentError for a stride, dilation or number of groups below 1, a negative
/// padding, groups that do not divide the channels, or a window larger than the padded input.
Tensor conv1d(const Arg& x, const Arg& weight, const ConvOptions& options = {});
Tensor conv1d(const Arg& x, const Arg& weight, const Arg& bias, const ConvOptions& options = {});
Tensor conv2d(const Arg& x, const Arg& weight, const ConvOptions& options = {});
Tensor conv2d(const Arg& x, const Arg& weight, const Arg& bias, const ConvOptions& options = {});
Tensor conv3d(const Arg& x, const Arg& weight, const ConvOptions& options = {});
Tensor conv3d(const Arg& x, const Arg& weight, const Arg& bias, const ConvOptions& options = {});

struct ConvTransposeOptions {
  PerAxis stride = 1;
  Padding padding = Pad::valid;  ///< taken off the result; Pad::same: results of extent x's times stride
  PerAxis output_padding = 0;    ///< further results at the end of each axis, fewer than the stride
  PerAxis dilation = 1;
  std::int64_t groups = 1;
  bool channels_last = false;
  WEFT_OPTIONS(stride, padding, output_padding, dilation, groups, channels_last)
};

/// What a convolution does to a cotangent of its result: x [n, in, axes...], weight [in, out / groups, window...] (that
/// of the convolution from `out` to `in`), result [n, out, (axes - 1) * stride - padding + dilation * (window - 1) + 1
/// + output_padding]. Errors as conv's.
Tensor conv_transpose1d(const Arg& x, const Arg& weight, const ConvTransposeOptions& options = {});
Tensor conv_transpose1d(const Arg& x, const Arg& weight, const Arg& bias, const ConvTransposeOptions& options = {});
Tensor conv_transpose2d(const Arg& x, const Arg& weight, const ConvTransposeOptions& options = {});
Tensor conv_transpose2d(const Arg& x, const Arg& weight, const Arg& bias, const ConvTransposeOptions& options = {});
Tensor conv_transpose3d(const Arg& x, const Arg& weight, const ConvTransposeOptions& options = {});
Tensor conv_transpose3d(const Arg& x, const Arg& weight, const Arg& bias, const ConvTransposeOptions& options = {});

}  // namespace weft
