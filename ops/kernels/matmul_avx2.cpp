// The matrix products for AVX2 and FMA: built with -mavx2 -mfma. The rules of matmul_avx512.cpp hold here too.
#include <immintrin.h>

#include "matmul.h"

namespace weft::kernels {
namespace {

alignas(64) constexpr std::int32_t ones_then_zeros[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

struct Mask {
  int n;
  explicit Mask(int count) : n(count) {}
};

struct F32 {
  using T = float;
  using Element = T;
  using V = __m256;
  static constexpr int lanes = 8, max_rows = 6;
  static V zero() { return _mm256_setzero_ps(); }
  static V load(const T* p) { return _mm256_loadu_ps(p); }
  static V load(const T* p, Mask m) {
    return _mm256_maskload_ps(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ones_then_zeros + 8 - m.n)));
  }
  static void store(T* p, V v) { _mm256_storeu_ps(p, v); }
  static void store(T* p, V v, Mask m) {  // a masked store is microcode on AMD
    alignas(32) T all[lanes];
    _mm256_store_ps(all, v);
    for (int i = 0; i < m.n; ++i) p[i] = all[i];
  }
  static V splat(T x) { return _mm256_set1_ps(x); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  [[gnu::always_inline]] static void transpose(V (&r)[lanes]) {
    V s[lanes];
    square(r[0], r[1], r[2], r[3], s);
    square(r[4], r[5], r[6], r[7], s + 4);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      r[i] = _mm256_permute2f128_ps(s[i], s[4 + i], 0x20);
      r[4 + i] = _mm256_permute2f128_ps(s[i], s[4 + i], 0x31);
    }
  }
  static constexpr int strip = 4;
  template <class Rows> static void columns(const Rows& row, std::int64_t q, V (&out)[strip]) {
    V r[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row(i) + q)), _mm_loadu_ps(row(i + 4) + q), 1);
    }
    square(r[0], r[1], r[2], r[3], out);
  }

 private:
  [[gnu::always_inline]] static void square(V a, V b, V c, V d, V* to) {  // inside the 128-bit lanes
    const V low_ab = _mm256_unpacklo_ps(a, b), high_ab = _mm256_unpackhi_ps(a, b);
    const V low_cd = _mm256_unpacklo_ps(c, d), high_cd = _mm256_unpackhi_ps(c, d);
    to[0] = _mm256_shuffle_ps(low_ab, low_cd, 0x44);
    to[1] = _mm256_shuffle_ps(low_ab, low_cd, 0xee);
    to[2] = _mm256_shuffle_ps(high_ab, high_cd, 0x44);
    to[3] = _mm256_shuffle_ps(high_ab, high_cd, 0xee);
  }
};

struct F64 {
  using T = double;
  using Element = T;
  using V = __m256d;
  static constexpr int lanes = 4, max_rows = 6;
  static V zero() { return _mm256_setzero_pd(); }
  static V load(const T* p) { return _mm256_loadu_pd(p); }
  static V load(const T* p, Mask m) {
    return _mm256_maskload_pd(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ones_then_zeros + 8 - 2 * m.n)));
  }
  static void store(T* p, V v) { _mm256_storeu_pd(p, v); }
  static void store(T* p, V v, Mask m) {
    alignas(32) T all[lanes];
    _mm256_store_pd(all, v);
    for (int i = 0; i < m.n; ++i) p[i] = all[i];
  }
  static V splat(T x) { return _mm256_set1_pd(x); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  [[gnu::always_inline]] static void transpose(V (&r)[lanes]) {
    const V a = _mm256_unpacklo_pd(r[0], r[1]), b = _mm256_unpackhi_pd(r[0], r[1]);
    const V c = _mm256_unpacklo_pd(r[2], r[3]), d = _mm256_unpackhi_pd(r[2], r[3]);
    r[0] = _mm256_permute2f128_pd(a, c, 0x20);
    r[1] = _mm256_permute2f128_pd(b, d, 0x20);
    r[2] = _mm256_permute2f128_pd(a, c, 0x31);
    r[3] = _mm256_permute2f128_pd(b, d, 0x31);
  }
  static constexpr int strip = 2;
  template <class Rows> static void columns(const Rows& row, std::int64_t q, V (&out)[strip]) {
    V r[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      r[i] = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(row(i) + q)), _mm_loadu_pd(row(i + 2) + q), 1);
    }
    out[0] = _mm256_unpacklo_pd(r[0], r[1]);
    out[1] = _mm256_unpackhi_pd(r[0], r[1]);
  }
};

#include "matmul_tile.inc"

}  // namespace

#define WEFT_MATMUL(name, type, level) \
  void matmul_##name##_##level(const Matmul& x) { products<type>(x); }
WEFT_MATMUL(f32, F32, avx2)
WEFT_MATMUL(f64, F64, avx2)
WEFT_MATMUL(i32, std::uint32_t, avx2)
WEFT_MATMUL(i64, std::uint64_t, avx2)
WEFT_MATMUL(u8, std::uint8_t, avx2)

}  // namespace weft::kernels
