// The matrix product of bf16 by the instruction that multiplies pairs of them and adds to f32: built with -mavx512bf16
// on top of what matmul_avx512.cpp has, called only where matmul_kernel() gives it. The rules of matmul_avx512.cpp hold
// here too.
#include <immintrin.h>

#include "matmul.h"

namespace weft::kernels {
namespace {

#include "matmul_avx512.inc"

/// T is a pair of elements along k, or a sum.
struct BF16 : F32 {
  using Element = std::uint16_t;
  using F32::store;
  static void store(Element* p, V v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), rounded(v)); }
  static void store(Element* p, V v, Mask m) { _mm256_mask_storeu_epi16(p, m.bits, rounded(v)); }
  /// c + a b of the odd elements, then of the even ones: two fmas without subnormals.
  static V fma(V a, V b, V c) {
    return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }

  /// to[q * width + l] = the pair from[l * lane + 2 q * step], from[l * lane + (2 q + 1) * step], for l < count; an odd
  /// one at k's end is paired with 0. Writes whole vectors, as pack does.
  static void pack_pairs(T* to, std::int64_t width, const Element* from, std::int64_t lane, std::int64_t step,
                         std::int64_t count, std::int64_t k) {
    if (lane == 1)
      pack_rows(to, width, from, step, static_cast<int>(count), k);
    else if (step == 1)
      pack_columns(to, width, from, lane, count, k);
    else
      for (std::int64_t q = 0; q < k; q += 2, to += width) {
        for (std::int64_t l = 0; l < count; ++l) {
          const Element* const f = from + l * lane + q * step;
          const Element pair[] = {*f, q + 1 < k ? f[step] : Element{}};
          __builtin_memcpy(to + l, pair, sizeof pair);
        }
      }
  }

 private:
  static __m256i rounded(V v) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)); }

  /// At most 32 elements.
  static __m512i load_elements(const Element* p, std::int64_t count) {
    return _mm512_maskz_loadu_epi16(static_cast<__mmask32>((std::uint64_t{1} << count) - 1), p);
  }

  /// At most 32 elements of each row, with those of the row behind it.
  static void pack_rows(T* to, std::int64_t width, const Element* from, std::int64_t step, int count, std::int64_t k) {
    alignas(64) static constexpr Element order[64] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
                                                      8,  40, 9,  41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47,
                                                      16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55,
                                                      24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63};
    const __m512i low = _mm512_load_si512(order), high = _mm512_load_si512(order + 32);
    for (std::int64_t q = 0; q < k; q += 2, to += width, from += 2 * step) {
      const __m512i even = load_elements(from, count),
                    odd = q + 1 < k ? load_elements(from + step, count) : _mm512_setzero_si512();
      _mm512_storeu_si512(to, _mm512_permutex2var_epi16(even, low, odd));
      if (count > lanes) _mm512_storeu_si512(to + lanes, _mm512_permutex2var_epi16(even, high, odd));
    }
  }

  /// Columns whose elements are contiguous, so pairs already.
  static void pack_columns(T* to, std::int64_t width, const Element* from, std::int64_t lane, std::int64_t count,
                           std::int64_t k) {
    for (std::int64_t l = (count - 1) / lanes * lanes; l >= 0; l -= lanes) {  // the last first, as pack does
      for (std::int64_t q = 0; q < k; q += 2 * lanes) {
        const std::int64_t deep = k - q < 2 * lanes ? k - q : 2 * lanes;
        V square[lanes];
        for (std::int64_t i = 0; i < lanes; ++i)
          square[i] = l + i < count ? _mm512_castsi512_ps(load_elements(from + (l + i) * lane + q, deep)) : zero();
        transpose(square);
        for (std::int64_t i = 0; i < (deep + 1) / 2; ++i) store(to + (q / 2 + i) * width + l, square[i]);
      }
    }
  }
};

#include "matmul_tile.inc"

}  // namespace

void matmul_bf16_avx512bf16(const Matmul& x) { products<BF16>(x); }

}  // namespace weft::kernels
