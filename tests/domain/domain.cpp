// Compares every operation of the native domain (ops/kernels/native.h), of every type and width, with ScalarOp's words
// in plain C++; prints what differs. Compiled once for each instruction set; 77 where the CPU has it not.
#include <cstdio>

#include <weft/ops/kernels/native.h>
#include <weft/tensor/isa.h>

namespace weft {
namespace {

template <class T> constexpr T edges[] = {0, 1, 2, 3, 7, 100, 127, 128, 200, 255};
template <> constexpr float edges<float>[] = {0.f,
                                              -0.f,
                                              1.f,
                                              -1.f,
                                              0.5f,
                                              -0.5f,
                                              1.5f,
                                              2.5f,
                                              -2.5f,
                                              0.49999997f,
                                              -0.49999997f,
                                              3.7f,
                                              -3.7f,
                                              255.f,
                                              255.9f,
                                              256.f,
                                              -1e-3f,
                                              8388607.5f,
                                              -8388607.5f,
                                              8388609.f,
                                              16777216.f,
                                              2147483520.f,
                                              2147483648.f,
                                              -2147483648.f,
                                              -2147483904.f,
                                              9223371487098961920.f,
                                              9223372036854775808.f,
                                              -9223372036854775808.f,
                                              1e30f,
                                              -1e30f,
                                              1e-45f,
                                              -1e-45f,
                                              3.4028235e38f,
                                              __builtin_inff(),
                                              -__builtin_inff(),
                                              __builtin_nanf("")};
template <> constexpr double edges<double>[] = {0.,
                                                -0.,
                                                1.,
                                                -1.,
                                                .5,
                                                -.5,
                                                1.5,
                                                2.5,
                                                -2.5,
                                                .49999999999999994,
                                                -.49999999999999994,
                                                3.7,
                                                -3.7,
                                                255.,
                                                255.9,
                                                256.,
                                                -1e-3,
                                                4503599627370495.5,
                                                -4503599627370495.5,
                                                4503599627370497.,
                                                2147483647.,
                                                2147483647.5,
                                                2147483648.,
                                                -2147483648.,
                                                -2147483648.5,
                                                -2147483649.,
                                                9223372036854774784.,
                                                9223372036854775808.,
                                                -9223372036854775808.,
                                                1e300,
                                                -1e300,
                                                5e-324,
                                                1e-46,
                                                3.4028235677973366e38,
                                                1e39,
                                                16777217.,
                                                16777219.,
                                                __builtin_inf(),
                                                -__builtin_inf(),
                                                __builtin_nan("")};
template <> constexpr std::int32_t edges<std::int32_t>[] = {
    0, 1, -1, 2, -7, 7, 255, 256, -256, 16777217, INT32_MAX, INT32_MIN, INT32_MIN + 1, 1 << 30};
template <> constexpr std::int64_t edges<std::int64_t>[] = {0,
                                                            1,
                                                            -1,
                                                            2,
                                                            -7,
                                                            7,
                                                            255,
                                                            256,
                                                            16777217,
                                                            9007199254740993,
                                                            -9007199254740993,
                                                            0x7fffff4000000001,
                                                            INT32_MAX,
                                                            INT32_MIN,
                                                            std::int64_t{1} << 31,
                                                            INT64_MAX,
                                                            INT64_MIN,
                                                            INT64_MIN + 1};
template <class T> constexpr int edge_count = sizeof(edges<T>) / sizeof(T);

int errors = 0;
template <class T> bool alike(T a, T b) { return __builtin_memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }
template <class R, class T> void expect(const char* what, R got, R want, T x, T y) {
  if (alike(got, want)) return;
  if (++errors < 40)
    std::printf("%s of %zu-byte %g, %g is %g, not %g\n", what, sizeof(T), double(x), double(y), double(got),
                double(want));
}

template <class U, class T> U converted(T x) {
  if constexpr (std::is_floating_point_v<T> && std::is_integral_v<U>) {
    constexpr bool is_signed = std::is_signed_v<U>;
    constexpr U top = is_signed ? U(~(std::uint64_t{1} << (8 * sizeof(U) - 1))) : U(~U(0)),
                bottom = is_signed ? U(-top - 1) : U(0);
    if (x != x) return 0;
    if (double(x) >= 18446744073709551616.0 || double(x) >= double(top)) return top;
    if (double(x) <= double(bottom)) return bottom;
  }
  return static_cast<U>(x);
}

template <class T, int L, class U> void check_convert() {
  for (T x : edges<T>) {
    U got[L];
    convert<Native<U, L>>(Native<T, L>(x)).store(got);
    for (U g : got) expect("convert", g, converted<U>(x), x, T(sizeof(U)));
  }
}

template <class T, int L> void check_domain() {
  using V = Native<T, L>;
  using W = Wrapping<T>;
  T got[L];
  bool truth[L];
  const auto value = [&](const char* what, V v, T want, T x, T y) {
    v.store(got);
    for (T g : got) expect(what, g, want, x, y);
  };
  const auto mask = [&](const char* what, NativeMask<T, L> m, bool want, T x, T y) {
    m.store(truth);
    for (bool g : truth) expect(what, g, want, x, y);
  };
  for (T x : edges<T>) {
    const V a(x);
    if constexpr (std::is_floating_point_v<T>) {
      const T most = sizeof(T) == 4 ? 250 : 2000;
      if (x == 0 || x - x != 0 || (x < 2 && x > T(-2) && x * x > T(1e-4)))
        for (T n = -most; n <= most; ++n)
          value("scalb", scalb(a, V(n)),
                sizeof(T) == 4 ? T(__builtin_ldexpf(float(x), int(n))) : T(__builtin_ldexp(x, int(n))), x, n);
      T m = x, e = 0;
      if (!(x >= 0))
        m = e = T(__builtin_nan(""));
      else if (x == 0 || x - x != 0)
        m = 1, e = x == 0 ? T(-__builtin_inf()) : x;
      else {
        for (; m < T(0.75); m *= 2) --e;
        for (; m >= T(1.5); m /= 2) ++e;
      }
      value("significand", significand(a), m, x, x);
      value("exponent", exponent(a), e, x, x);
      value("sqrt", sqrt(a), __builtin_sqrt(x), x, x);
      if constexpr (sizeof(T) == 4) value("sqrt", sqrt(a), __builtin_sqrtf(x), x, x);
      value("floor", floor(a), __builtin_floor(x), x, x);
      value("ceil", ceil(a), __builtin_ceil(x), x, x);
      value("trunc", trunc(a), __builtin_trunc(x), x, x);
      value("nearest", nearest(a), __builtin_rint(x), x, x);
      value("abs", abs(a), __builtin_fabs(x), x, x);
      value("neg", -a, -x, x, x);
      value("bits", from_bits<V>(bits(a)), x, x, x);
    } else {
      value("neg", -a, T(W(0) - W(x)), x, x);
      value("abs", abs(a), x < 0 ? T(W(0) - W(x)) : x, x, x);
      value("not", ~a, T(~x), x, x);
      value("shl", shl<3>(a), T(W(x) << 3), x, x);
      value("shr", shr<3>(a), T(W(x) >> 3), x, x);
      value("sar", sar<3>(a), T(Signed<T>(x) >> 3), x, x);
    }
    for (T y : edges<T>) {
      const V b(y);
      if constexpr (std::is_floating_point_v<T>) {
        value("add", a + b, x + y, x, y);
        value("sub", a - b, x - y, x, y);
        value("mul", a * b, x * y, x, y);
        value("div", a / b, x / y, x, y);
        value("smaller", smaller(a, b), x < y ? x : y, x, y);
        value("larger", larger(a, b), x > y ? x : y, x, y);
        for (T z : edges<T>) {
          if constexpr (sizeof(T) == 4)
            value("fma", fma(a, b, V(z)), __builtin_fmaf(x, y, z), x, y);
          else
            value("fma", fma(a, b, V(z)), __builtin_fma(x, y, z), x, y);
        }
      } else {
        value("add", a + b, T(W(x) + W(y)), x, y);
        value("sub", a - b, T(W(x) - W(y)), x, y);
        value("mul", a * b, T(W(x) * W(y)), x, y);
        value("div", a / b, y == 0 ? T(0) : std::is_signed_v<T> && y == T(-1) ? T(W(0) - W(x)) : T(x / y), x, y);
        value("and", a & b, T(x & y), x, y);
        value("or", a | b, T(x | y), x, y);
        value("xor", a ^ b, T(x ^ y), x, y);
      }
      mask("lt", a < b, x < y, x, y);
      mask("le", a <= b, x <= y, x, y);
      mask("gt", a > b, x > y, x, y);
      mask("ge", a >= b, x >= y, x, y);
      mask("eq", a == b, x == y, x, y);
      mask("ne", a != b, x != y, x, y);
      mask("mask &", (a < b) & (a == a), x < y && x == x, x, y);
      mask("mask |", (a < b) | (a == b), x < y || x == y, x, y);
      mask("mask ^", (a < b) ^ (a <= b), (x < y) != (x <= y), x, y);
      mask("mask !", !(a < b), !(x < y), x, y);
      value("where", where(a < b, a, b), x < y ? x : y, x, y);
    }
  }
  // Every lane stands where it should: load, store, masks from bools, conversions.
  T from[L];
  for (int i = 0; i < L; ++i) from[i] = edges<T>[(i * 7 + 1) % edge_count<T>], truth[i] = i % 3 == 1;
  where(NativeMask<T, L>::load(truth), V::load(from), V(T(5))).store(got);
  for (int i = 0; i < L; ++i) expect("lane", got[i], truth[i] ? from[i] : T(5), from[i], T(i));
  const auto lanes = [&]<class U>(U) {
    U to[L];
    convert<Native<U, L>>(V::load(from)).store(to);
    for (int i = 0; i < L; ++i) expect("lane of convert", to[i], converted<U>(from[i]), from[i], T(i));
    check_convert<T, L, U>();
  };
  lanes(float{}), lanes(double{}), lanes(std::int32_t{}), lanes(std::int64_t{}), lanes(std::uint8_t{});
}

template <class T> void check_widths() {
  check_domain<T, native_lanes<T>>();
  check_domain<T, native_lanes<float>>();
  check_domain<T, native_lanes<double>>();
  check_domain<T, native_lanes<std::uint8_t>>();
}

}  // namespace
}  // namespace weft

int main() {
  using namespace weft;
#if defined(__AVX512F__)
  if (isa() < Isa::avx512) return 77;
#elif defined(__AVX2__)
  if (isa() < Isa::avx2) return 77;
#endif
  check_widths<float>();
  check_widths<double>();
  check_widths<std::int32_t>();
  check_widths<std::int64_t>();
  check_widths<std::uint8_t>();
  std::printf("%d operations of the domain go wrong\n", errors);
  return errors != 0;
}
