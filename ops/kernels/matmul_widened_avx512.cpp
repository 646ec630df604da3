// The matrix product of bf16 by f32's fmas, for CPUs that have no instruction for pairs of them or a slow one: with the
// bits of that instruction (matmul_avx512bf16.cpp). Operands are widened where they are packed. The rules of
// matmul_avx512.cpp hold here too.
#include <immintrin.h>

#include "matmul.h"

namespace weft::kernels {
namespace {

#include "matmul_avx512.inc"

struct WidenedBF16 : F32 {
  using Element = std::uint16_t;
  using F32::store;
  static constexpr bool widens = true;
  static void store(Element* p, V v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), rounded(v)); }
  static void store(Element* p, V v, Mask m) { _mm256_mask_storeu_epi16(p, m.bits, rounded(v)); }

  /// From here this thread's arithmetic takes subnormals for zeros and gives none, as the instruction for pairs does.
  /// Gives what restore() wants. (No destructor: code that could be unwound has a weak symbol.)
  static unsigned without_subnormals() {
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
  }
  static void restore(unsigned before) { _mm_setcsr(before); }

  /// to[q * width + l] = from[l * lane + (q ^ 1) * step] for l < count: of each pair along k the second one first, and
  /// 0 for the one that an odd k lacks. Writes whole vectors, as pack does.
  static void pack_pairs(T* to, std::int64_t width, const Element* from, std::int64_t lane, std::int64_t step,
                         std::int64_t count, std::int64_t k) {
    const std::int64_t steps = k + k % 2;
    if (lane == 1) {
      for (std::int64_t q = 0; q < steps; ++q) {
        for (std::int64_t l = 0; l < count; l += lanes) store(to + q * width + l, row(from, l, count, q ^ 1, step, k));
      }
    } else if (step == 1) {
      for (std::int64_t l = (count - 1) / lanes * lanes; l >= 0; l -= lanes)  // the last first, as pack does
        pack_columns(to + l, width, from + l * lane, lane, count - l, k);
    } else {
      for (std::int64_t q = 0; q < steps; ++q) {
        for (std::int64_t l = 0; l < count; ++l)
          to[q * width + l] = (q ^ 1) < k ? widened(from[l * lane + (q ^ 1) * step]) : 0;
      }
    }
  }

 private:
  static float widened(Element x) {
    const std::uint32_t bits = std::uint32_t{x} << 16;
    float f;
    __builtin_memcpy(&f, &bits, sizeof f);
    return f;
  }

  /// At most 16 elements, widened.
  static V load_elements(const Element* p, std::int64_t count) {
    const auto mask = static_cast<__mmask16>(count >= lanes ? 0xffff : (1u << count) - 1);
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }

  static V row(const Element* from, std::int64_t l, std::int64_t count, std::int64_t q, std::int64_t step,
               std::int64_t k) {
    return q < k ? load_elements(from + q * step + l, count - l) : zero();
  }

  /// Up to 16 columns whose elements are contiguous.
  static void pack_columns(T* to, std::int64_t width, const Element* from, std::int64_t lane, std::int64_t count,
                           std::int64_t k) {
    for (std::int64_t q = 0; q < k; q += lanes) {
      const std::int64_t deep = k - q < lanes ? k - q : lanes;
      V square[lanes];
#pragma GCC unroll 16
      for (int i = 0; i < lanes; ++i) square[i] = i < count ? load_elements(from + i * lane + q, deep) : zero();
      transpose(square);
      for (std::int64_t i = 0; i < deep + deep % 2; ++i) store(to + (q + i) * width, square[i ^ 1]);
    }
  }

  /// To the nearest, halves to the even one; NaNs stay NaNs.
  static __m256i rounded(V v) {
    const __m512i bits = _mm512_castps_si512(v), high = _mm512_srli_epi32(bits, 16),
                  odd = _mm512_and_si512(high, _mm512_set1_epi32(1)),
                  sum = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i result = _mm512_mask_or_epi32(_mm512_srli_epi32(sum, 16), nan, high, _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(result);
  }
};

#include "matmul_tile.inc"

}  // namespace

void matmul_bf16_avx512(const Matmul& x) { products<WidenedBF16>(x); }

}  // namespace weft::kernels
