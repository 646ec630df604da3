// The gradient for a depthwise convolution's weight: channels last, each with a window of its own.
#pragma once

#include <cstdint>

#include "conv.h"

namespace weft {

/// Whether depthwise_weight() takes it: f32, whole vectors of channels, AVX2 or better.
bool is_depthwise_weight(const ConvShape&);

/// w from x and y, on several threads: each image's sums over its positions, and their sum in
/// order; cut by the shape alone.
void depthwise_weight(const ConvShape&, const float* x, float* w, const float* y);

/// One image, of which channels [first, last) are meant: whole vectors.
struct DepthwiseImage {
  struct Axis {
    std::int64_t in, out, window, stride, before, dilation;
  } axes[3];
  std::int64_t channels, first, last;
};

/// sums [taps, channels]. oneDNN's kernel for this layout has 65 to 70 GFLOP/s a core, this one 90 to 100.
void depthwise_sums_avx2(const DepthwiseImage&, const float* x, const float* y, float* sums);
void depthwise_sums_avx512(const DepthwiseImage&, const float* x, const float* y, float* sums);

}  // namespace weft
