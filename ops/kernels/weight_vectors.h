// A convolution's f32 weight from how it is given to how AVX-512 kernels read it, and back: one tap of one channel, of
// 16 outputs, is a vector.
#pragma once

#include <cstdint>

namespace weft {

/// 16 rows, `row` elements apart, of `length` each: so many taps of a channel, then those of the next. From the vector
/// of an element to that of the next tap are `tap` elements, to that of the next channel `channel`. `ahead` of those
/// that are read, elements are fetched.
struct WeightRows {
  std::int64_t row, length, taps, channel, tap, ahead;
};

/// vectors[q / taps * channel + q % taps * tap + lane] = rows[lane * row + q] for q < length; and back.
void rows_to_vectors_avx512(const WeightRows&, const float* rows, float* vectors);
void vectors_to_rows_avx512(const WeightRows&, const float* vectors, float* rows);

}  // namespace weft
