// The door to convolutions: which kernel, in what pieces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "../../tensor/dtype.h"

namespace weft {

/// Which of x, w and y a convolution computes from the other two.
enum class ConvPass : std::int64_t { y, x, w };

/// x [n, in..., channels], y [n, out..., outputs], w [outputs, channels / groups, window...], each in order. Extents of
/// 0 and empty results are the caller's. Only integers of 64 bits, so that its bytes are its hash.
struct ConvShape {
  ConvPass pass;
  std::int64_t axes, n, channels, outputs, groups;  // axes: 1, 2 or 3
  std::array<std::int64_t, 3> in, out, window, stride, before, after, dilation;

  bool operator==(const ConvShape&) const = default;
  std::int64_t positions() const { return out[0] * out[1] * out[2]; }
  std::int64_t pixels() const { return in[0] * in[1] * in[2]; }
  std::int64_t taps() const { return window[0] * window[1] * window[2]; }
  /// Of pass x: whether that is a convolution of y, by the weight turned round; and that one.
  bool can_be_turned() const;
  ConvShape turned() const;
  double products() const {  // multiply-adds
    return static_cast<double>(n * positions()) * static_cast<double>(outputs) *
           static_cast<double>(channels / groups * taps());
  }
};

/// Bytes of an image that stay in a core's L2, with a block of the weight. oneDNN's loops pass over the whole image
/// for each 16 of its channels: for larger ones they run at half the speed of its products of small matrices.
inline constexpr std::int64_t cached_image = 900'000;

/// Computes one of the three, on several threads where that pays. f32 is oneDNN's, but for single pixels (our
/// matmul), gradients of long windows along one axis and weight gradients of depthwise ones (conv_depthwise.h), all cut
/// into pieces that the shape alone decides, so that neither threads nor mode change a bit; f64 is gathered into rows
/// for our matmul, but for windows along one axis and depthwise ones. bf16 and f16 are summed in f32 and rounded once:
/// bf16 by oneDNN where the CPU multiplies it, else both are widened.
void conv(const ConvShape&, DType, void* x, void* w, void* y);

/// For y or x: bytes of the weight in the order in which conv() takes it, where that is not the caller's; else 0. One
/// that is used often is packed once: the bits are conv()'s.
std::size_t packed_weight_bytes(const ConvShape&, DType);
void pack_weight(const ConvShape&, DType, const void* w, void* packed);
void conv_packed(const ConvShape&, DType, void* x, const void* packed, void* y);

/// Along one axis: f64, and f32's gradients for long windows (for x if it can be turned round), as matrix products.
bool is_by_lines(const ConvShape&, DType);
void conv_by_lines(const ConvShape&, DType, void* x, void* w, void* y);

/// f64: one matrix product an image and group, from columns that hold each position's window.
void conv_by_columns(const ConvShape&, double* x, double* w, double* y);

}  // namespace weft
