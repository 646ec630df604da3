// The matrix products for AVX-512: built with -mavx512{f,bw,dq,vl,cd} -mavx2 -mfma, called only where isa() says so.
// Everything but the entry points is in an anonymous namespace, and nothing from std is called: a weak symbol compiled
// here could be the one that the linker keeps for the whole program.
#include <immintrin.h>

#include "matmul.h"

namespace weft::kernels {
namespace {

#include "matmul_avx512.inc"

struct F64 {
  using T = double;
  using Element = T;
  using V = __m512d;
  static constexpr int lanes = 8, max_rows = 14;
  static V zero() { return _mm512_setzero_pd(); }
  static V load(const T* p) { return _mm512_loadu_pd(p); }
  static V load(const T* p, Mask m) { return _mm512_maskz_loadu_pd(static_cast<__mmask8>(m.bits), p); }
  static void store(T* p, V v) { _mm512_storeu_pd(p, v); }
  static void store(T* p, V v, Mask m) { _mm512_mask_storeu_pd(p, static_cast<__mmask8>(m.bits), v); }
  static V splat(T x) { return _mm512_set1_pd(x); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  [[gnu::always_inline]] static void transpose(V (&r)[lanes]) {
    V s[lanes];
#pragma GCC unroll 4
    for (int g = 0; g < lanes; g += 2) {
      s[g] = _mm512_unpacklo_pd(r[g], r[g + 1]);
      s[g + 1] = _mm512_unpackhi_pd(r[g], r[g + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const V a = _mm512_shuffle_f64x2(s[i], s[2 + i], 0x44), b = _mm512_shuffle_f64x2(s[i], s[2 + i], 0xee);
      const V c = _mm512_shuffle_f64x2(s[4 + i], s[6 + i], 0x44), d = _mm512_shuffle_f64x2(s[4 + i], s[6 + i], 0xee);
      r[i] = _mm512_shuffle_f64x2(a, c, 0x88);
      r[2 + i] = _mm512_shuffle_f64x2(a, c, 0xdd);
      r[4 + i] = _mm512_shuffle_f64x2(b, d, 0x88);
      r[6 + i] = _mm512_shuffle_f64x2(b, d, 0xdd);
    }
  }
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
