// The elementary functions over whole arrays, compiled once for each ISA: -DWEFT_ISA_NAME=base, avx2 or avx512.
#include "../ops/kernels/native.h"
#include "../ops/scalar_math.h"
#include "accuracy.h"

namespace weft::accuracy {
namespace {

template <class T, class F> void each(const T* x, const T* y, T* out, long n, F f) {
  constexpr int lanes = native_lanes<T>;
  using V = Native<T, lanes>;
  for (long i = 0; i < n; i += lanes) f(V::load(x + i), V::load(y + i)).store(out + i);
}

template <class T> struct Table {
#define WEFT_UNARY(name) \
  { #name, 1, [](const T* x, const T* y, T* out, long n) { each(x, y, out, n, [](auto a, auto) { return math::name(a); }); } }
#define WEFT_BINARY(name) \
  { #name, 2, [](const T* x, const T* y, T* out, long n) { each(x, y, out, n, [](auto a, auto b) { return math::name(a, b); }); } }
  static constexpr Function<T> functions[] = {
      WEFT_UNARY(exp),  WEFT_UNARY(exp2), WEFT_UNARY(expm1),   WEFT_UNARY(log), WEFT_UNARY(log2),  WEFT_UNARY(log1p),
      WEFT_UNARY(sin),  WEFT_UNARY(cos),  WEFT_UNARY(tan),     WEFT_UNARY(tanh), WEFT_UNARY(sigmoid), WEFT_UNARY(erf),
      WEFT_UNARY(rsqrt), WEFT_UNARY(reciprocal), WEFT_BINARY(pow), WEFT_BINARY(atan2), {nullptr, 0, nullptr}};
};

}  // namespace

extern const Build WEFT_ISA_NAME;
const Build WEFT_ISA_NAME = {Table<float>::functions, Table<double>::functions};

}  // namespace weft::accuracy
