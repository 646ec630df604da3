// How the weight of an f32 convolution lies for oneDNN's AVX-512 kernels, where vectors are of 16 outputs. Our loops
// bring it there 1.1 to 1.6 times as fast as oneDNN's reorders, and back, which those do element by element, 2.5 to 4
// times (of 512 x 512 x 3 x 3, out of memory and in the cache).
#pragma once

#include <cstdint>
#include <optional>

#include "compat.h"

namespace weft::onednn {

/// [outputs / wide][taps][channels][wide outputs]; of 0: [outputs / 16][channels / 16][taps][16 channels][16 outputs].
struct WeightOrder {
  std::int64_t wide;
};

/// Nothing for another order, or another instruction set than AVX-512.
std::optional<WeightOrder> weight_order(const dnnl::memory::desc& laid_out, const dnnl::memory::dims&);

/// A weight [outputs, channels, taps] as it is given, steps in elements. `reversed`: its taps run backwards.
struct PlainWeight {
  std::int64_t outputs, channels, taps, output_step, channel_step;
  bool reversed = false;
};

void order_weight(const WeightOrder&, const PlainWeight&, const float* plain, float* ordered);
void plain_weight(const WeightOrder&, const PlainWeight&, const float* ordered, float* plain);

}  // namespace weft::onednn
