// How the weight of a convolution lies, seen as [outputs, taps, channels / groups].
#pragma once

#include "../../tensor/tensor.h"
#include "conv.h"

namespace weft {

/// As it is given: [outputs, channels / groups, taps].
inline View given_weight(const ConvShape& s, DType t, void* w) {
  const std::int64_t taps = s.taps(), channels = s.channels / s.groups;
  return {t, {s.outputs, taps, channels}, {taps * channels, 1, taps}, w};
}

/// With the channels last, as pixels have them.
inline View weight_by_taps(const ConvShape& s, DType t, void* w) {
  const Shape shape{s.outputs, s.taps(), s.channels / s.groups};
  return {t, shape, contiguous_strides(shape), w};
}

}  // namespace weft
