// The matrix products for any x86-64. fma is a call into libm, which uses the instruction where there is one: slow,
// right.
#include "matmul.h"

namespace weft::kernels {
namespace {

struct Mask {
  int n;
  explicit Mask(int count) : n(count) {}
};

template <class Number> struct Vec {
  using T = Number;
  using Element = T;
  static constexpr int lanes = 4, max_rows = 2;
  struct V {
    T x[lanes];
  };

  static V zero() { return {}; }
  static V load(const T* p) { return {{p[0], p[1], p[2], p[3]}}; }
  static V load(const T* p, Mask m) {
    V v{};
    for (int i = 0; i < m.n; ++i) v.x[i] = p[i];
    return v;
  }
  static void store(T* p, V v) {
    for (int i = 0; i < lanes; ++i) p[i] = v.x[i];
  }
  static void store(T* p, V v, Mask m) {
    for (int i = 0; i < m.n; ++i) p[i] = v.x[i];
  }
  static V splat(T x) { return {{x, x, x, x}}; }
  static T fma(T a, T b, T c) {
    if constexpr (sizeof(T) == 4)
      return __builtin_fmaf(a, b, c);
    else
      return __builtin_fma(a, b, c);
  }
  static V fma(V a, V b, V c) {
    V r;
    for (int i = 0; i < lanes; ++i) r.x[i] = fma(a.x[i], b.x[i], c.x[i]);
    return r;
  }
  static void transpose(V (&r)[lanes]) {
    for (int i = 0; i < lanes; ++i) {
      for (int j = 0; j < i; ++j) {
        const T t = r[i].x[j];
        r[i].x[j] = r[j].x[i];
        r[j].x[i] = t;
      }
    }
  }
  static constexpr int strip = 1;
  template <class Rows> static void columns(const Rows& row, std::int64_t q, V (&out)[strip]) {
    for (int i = 0; i < lanes; ++i) out[0].x[i] = row(i)[q];
  }
};
using F32 = Vec<float>;
using F64 = Vec<double>;

#include "matmul_tile.inc"

}  // namespace

#define WEFT_MATMUL(name, type, level) \
  void matmul_##name##_##level(const Matmul& x) { products<type>(x); }
WEFT_MATMUL(f32, F32, base)
WEFT_MATMUL(f64, F64, base)
WEFT_MATMUL(i32, std::uint32_t, base)
WEFT_MATMUL(i64, std::uint64_t, base)
WEFT_MATMUL(u8, std::uint8_t, base)

}  // namespace weft::kernels
