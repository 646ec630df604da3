// The matrix products for AVX-512: built with -mavx512{f,bw,dq,vl,cd} -mavx2 -mfma, called only where isa() says so.
// Everything but the entry points is in an anonymous namespace, and nothing from std is called: a weak symbol compiled
// here could be the one that the linker keeps for the whole program.
#include <immintrin.h>

#include "matmul.h"

// g++ 12 takes the undefined operand inside its own _mm512_unpack* for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace weft::kernels {
namespace {

struct Mask {
  __mmask16 bits;
  explicit Mask(int count) : bits(static_cast<__mmask16>((1u << count) - 1)) {}
};

struct F32 {
  using T = float;
  using V = __m512;
  static constexpr int lanes = 16, max_rows = 14;
  static V zero() { return _mm512_setzero_ps(); }
  static V load(const T* p) { return _mm512_loadu_ps(p); }
  static V load(const T* p, Mask m) { return _mm512_maskz_loadu_ps(m.bits, p); }
  static void store(T* p, V v) { _mm512_storeu_ps(p, v); }
  static void store(T* p, V v, Mask m) { _mm512_mask_storeu_ps(p, m.bits, v); }
  static V splat(T x) { return _mm512_set1_ps(x); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V low(V a, V b) {  // a0 b0 a1 b1 ...
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b);
  }
  static V high(V a, V b) {
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
                                  b);
  }
  static constexpr int strip = 4;
  /// Elements q..q+3 of 16 rows, as four vectors over the rows: pieces of 128 bits are put together by the loads.
  template <class Rows> static void columns(const Rows& row, std::int64_t q, V (&out)[strip]) {
    V r[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      r[i] = _mm512_castps128_ps512(_mm_loadu_ps(row(i) + q));
      r[i] = _mm512_mask_broadcast_f32x4(r[i], 0x00f0, _mm_loadu_ps(row(i + 4) + q));
      r[i] = _mm512_mask_broadcast_f32x4(r[i], 0x0f00, _mm_loadu_ps(row(i + 8) + q));
      r[i] = _mm512_mask_broadcast_f32x4(r[i], 0xf000, _mm_loadu_ps(row(i + 12) + q));
    }
    const V low01 = _mm512_unpacklo_ps(r[0], r[1]), high01 = _mm512_unpackhi_ps(r[0], r[1]);
    const V low23 = _mm512_unpacklo_ps(r[2], r[3]), high23 = _mm512_unpackhi_ps(r[2], r[3]);
    out[0] = _mm512_shuffle_ps(low01, low23, 0x44);
    out[1] = _mm512_shuffle_ps(low01, low23, 0xee);
    out[2] = _mm512_shuffle_ps(high01, high23, 0x44);
    out[3] = _mm512_shuffle_ps(high01, high23, 0xee);
  }
};

struct F64 {
  using T = double;
  using V = __m512d;
  static constexpr int lanes = 8, max_rows = 14;
  static V zero() { return _mm512_setzero_pd(); }
  static V load(const T* p) { return _mm512_loadu_pd(p); }
  static V load(const T* p, Mask m) { return _mm512_maskz_loadu_pd(static_cast<__mmask8>(m.bits), p); }
  static void store(T* p, V v) { _mm512_storeu_pd(p, v); }
  static void store(T* p, V v, Mask m) { _mm512_mask_storeu_pd(p, static_cast<__mmask8>(m.bits), v); }
  static V splat(T x) { return _mm512_set1_pd(x); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  static V low(V a, V b) { return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b); }
  static V high(V a, V b) { return _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b); }
  static constexpr int strip = 2;
  template <class Rows> static void columns(const Rows& row, std::int64_t q, V (&out)[strip]) {
    V r[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      r[i] = _mm512_castpd128_pd512(_mm_loadu_pd(row(i) + q));
      r[i] = _mm512_mask_broadcast_f64x2(r[i], 0x0c, _mm_loadu_pd(row(i + 2) + q));
      r[i] = _mm512_mask_broadcast_f64x2(r[i], 0x30, _mm_loadu_pd(row(i + 4) + q));
      r[i] = _mm512_mask_broadcast_f64x2(r[i], 0xc0, _mm_loadu_pd(row(i + 6) + q));
    }
    out[0] = _mm512_unpacklo_pd(r[0], r[1]);
    out[1] = _mm512_unpackhi_pd(r[0], r[1]);
  }
};

#include "matmul_tile.inc"

}  // namespace

#define WEFT_MATMUL(name, type, level) \
  void matmul_##name##_##level(const Matmul& x) { products<type>(x); }
WEFT_MATMUL(f32, F32, avx512)
WEFT_MATMUL(f64, F64, avx512)
WEFT_MATMUL(i32, std::uint32_t, avx512)
WEFT_MATMUL(i64, std::uint64_t, avx512)
WEFT_MATMUL(u8, std::uint8_t, avx512)

}  // namespace weft::kernels
