#include "weight_vectors.h"

#include <immintrin.h>

namespace weft {
namespace {

#include "matmul_avx512.inc"

constexpr std::int64_t lanes = F32::lanes;

/// f(the first of up to 16 elements of the rows, how many, their vectors' places), until there are no more.
template <class F> void each_square(const WeightRows& w, F&& f) {
  std::int64_t place[lanes], tap = 0, first = 0;
  for (std::int64_t q = 0; q < w.length; q += lanes) {
    const std::int64_t count = w.length - q < lanes ? w.length - q : lanes;
    for (std::int64_t i = 0; i < count; ++i) {
      place[i] = first + tap * w.tap;
      if (++tap == w.taps) tap = 0, first += w.channel;
    }
    f(q, count, place);
  }
}

}  // namespace

void rows_to_vectors_avx512(const WeightRows& w, const float* rows, float* vectors) {
  each_square(w, [&](std::int64_t q, std::int64_t count, const std::int64_t* place) {
    __m512 square[lanes];
    const Mask mask(static_cast<int>(count));
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) {
      _mm_prefetch(rows + i * w.row + q + w.ahead, _MM_HINT_T0);
      square[i] = F32::load(rows + i * w.row + q, mask);
    }
    F32::transpose(square);
    for (std::int64_t i = 0; i < count; ++i) F32::store(vectors + place[i], square[i]);
  });
}

void vectors_to_rows_avx512(const WeightRows& w, const float* vectors, float* rows) {
  each_square(w, [&](std::int64_t q, std::int64_t count, const std::int64_t* place) {
    __m512 square[lanes];
    const Mask mask(static_cast<int>(count));
    for (int i = 0; i < lanes; ++i) square[i] = F32::load(vectors + place[i < count ? i : 0]);
    F32::transpose(square);
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) F32::store(rows + i * w.row + q, square[i], mask);
  });
}

}  // namespace weft
