// Depthwise convolutions: channels last, each with a window of its own.
#pragma once

#include <cstdint>

#include "conv.h"

namespace weft {

/// Whether depthwise_weight() takes it: f32, whole vectors of channels, AVX2 or better.
bool is_depthwise_weight(const ConvShape&);

/// w from x and y, on several threads: each image's sums over its positions, and their sum in
/// order; cut by the shape alone.
void depthwise_weight(const ConvShape&, const float* x, float* w, const float* y);

/// Whether depthwise() takes it: f64, y, or x where the stride is 1; whole vectors of channels, AVX2 or better.
bool is_depthwise(const ConvShape&, DType);

/// y from x, or x from y, which is the same with the window turned round; on several threads. A sum goes over the
/// window's taps in their order.
void depthwise(const ConvShape&, double* x, const double* w, double* y);

/// One image, of which channels [first, last), whole vectors, or rows of results are meant.
struct DepthwiseImage {
  struct Axis {
    std::int64_t in, out, window, stride, before, dilation;
  } axes[3];
  std::int64_t channels, first, last;
};

/// sums [taps, channels]. oneDNN's kernel for this layout has 65 to 70 GFLOP/s a core, this one 90 to 100.
void depthwise_sums_avx2(const DepthwiseImage&, const float* x, const float* y, float* sums);
void depthwise_sums_avx512(const DepthwiseImage&, const float* x, const float* y, float* sums);

inline constexpr std::int64_t depthwise_taps = 64;  // at most

/// Rows of y [.., channels]; w is [taps, channels].
void depthwise_rows_avx2(const DepthwiseImage&, const double* x, const double* w, double* y);
void depthwise_rows_avx512(const DepthwiseImage&, const double* x, const double* w, double* y);

}  // namespace weft
