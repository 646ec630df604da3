#include "tile_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace weft::tile {
namespace {

template <class T> using Bits =
    std::conditional_t<sizeof(T) == 8, std::uint64_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint8_t>>;
template <class T> inline constexpr bool floating = std::is_floating_point_v<T>;

// Calls f with a value of the compute type t.
template <class F> void visit(DType t, F&& f) {
  switch (t) {
    case DType::f32: return f(float{});
    case DType::f64: return f(double{});
    case DType::i32: return f(std::int32_t{});
    case DType::i64: return f(std::int64_t{});
    case DType::u8: return f(std::uint8_t{});
    default: return f(bool{});
  }
}

template <class R, class A, class F> void map(std::size_t n, void* out, const void* a, F f) {
  R* __restrict r = static_cast<R*>(out);
  const A* x = static_cast<const A*>(a);
  for (std::size_t k = 0; k < n; ++k) r[k] = f(x[k]);
}
template <class R, class A, class F> void map(std::size_t n, void* out, const void* a, const void* b, F f) {
  R* __restrict r = static_cast<R*>(out);
  const A *x = static_cast<const A*>(a), *y = static_cast<const A*>(b);
  for (std::size_t k = 0; k < n; ++k) r[k] = f(x[k], y[k]);
}

// Integers wrap: they are added, subtracted and multiplied without sign.
template <class T> T add(T x, T y) {
  if constexpr (floating<T>)
    return x + y;
  else
    return static_cast<T>(static_cast<Bits<T>>(x) + static_cast<Bits<T>>(y));
}
template <class T> T sub(T x, T y) {
  if constexpr (floating<T>)
    return x - y;
  else
    return static_cast<T>(static_cast<Bits<T>>(x) - static_cast<Bits<T>>(y));
}
template <class T> T mul(T x, T y) {
  if constexpr (floating<T>)
    return x * y;
  else
    return static_cast<T>(static_cast<Bits<T>>(x) * static_cast<Bits<T>>(y));
}
template <class T> T div(T x, T y) {
  if constexpr (floating<T>)
    return x / y;
  else if constexpr (std::is_signed_v<T>)
    return y == 0 ? T{0} : y == -1 ? sub<T>(0, x) : x / y;
  else
    return y == 0 ? T{0} : static_cast<T>(x / y);
}
template <class T> T negative(T x) {
  if constexpr (floating<T>)
    return -x;
  else
    return sub<T>(0, x);
}
template <class T> T absolute(T x) {
  if constexpr (floating<T>)
    return std::abs(x);
  else
    return x < T{0} ? sub<T>(0, x) : x;
}

template <class T> T scalb(T x, T n) {
  const T most = 2 * std::numeric_limits<T>::max_exponent;
  return n == n ? std::scalbn(x, static_cast<int>(std::clamp(n, -most, most))) : n;
}

/// The significand from 3/4 on and its exponent, of a number that is neither negative nor NaN.
template <class T> std::pair<T, T> parts(T x) {
  if (x == 0) return {1, -std::numeric_limits<T>::infinity()};
  if (std::isinf(x)) return {1, x};
  int e = 0;
  const T half = std::frexp(x, &e);
  return half < T(0.75) ? std::pair{2 * half, static_cast<T>(e - 1)} : std::pair{half, static_cast<T>(e)};
}
template <class T> T exponent(T x) { return x >= 0 ? parts(x).second : std::numeric_limits<T>::quiet_NaN(); }
template <class T> T significand(T x) { return x >= 0 ? parts(x).first : std::numeric_limits<T>::quiet_NaN(); }

template <class To, class From> To convert(From x) {
  if constexpr (std::is_same_v<To, bool>)
    return x != From{0};
  else if constexpr (floating<From> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    // The lower bound is exact in any float; the upper is 2^n - 1, so compared from 2^n on.
    constexpr From low = static_cast<From>(Limits::min()), beyond = static_cast<From>(Limits::max() / 2 + 1) * 2;
    return x != x ? To{0} : x <= low ? Limits::min() : x >= beyond ? Limits::max() : static_cast<To>(x);
  } else
    return static_cast<To>(x);
}

template <class Half> float rounded(float x) { return static_cast<float>(static_cast<Half>(x)); }

template <class T> void arithmetic(ScalarOp op, std::size_t n, void* out, const void* a, const void* b) {
  switch (op) {
    case ScalarOp::add: return map<T, T>(n, out, a, b, add<T>);
    case ScalarOp::sub: return map<T, T>(n, out, a, b, sub<T>);
    case ScalarOp::mul: return map<T, T>(n, out, a, b, mul<T>);
    case ScalarOp::div: return map<T, T>(n, out, a, b, div<T>);
    case ScalarOp::neg: return map<T, T>(n, out, a, negative<T>);
    default: return map<T, T>(n, out, a, absolute<T>);
  }
}

template <class T>
void floats_only(ScalarOp op, std::size_t n, void* out, const void* a, const void* b, const void* c) {
  switch (op) {
    case ScalarOp::scalb: return map<T, T>(n, out, a, b, scalb<T>);
    case ScalarOp::exponent: return map<T, T>(n, out, a, exponent<T>);
    case ScalarOp::significand: return map<T, T>(n, out, a, significand<T>);
    case ScalarOp::sqrt: return map<T, T>(n, out, a, [](T x) { return std::sqrt(x); });
    case ScalarOp::floor: return map<T, T>(n, out, a, [](T x) { return std::floor(x); });
    case ScalarOp::ceil: return map<T, T>(n, out, a, [](T x) { return std::ceil(x); });
    case ScalarOp::trunc: return map<T, T>(n, out, a, [](T x) { return std::trunc(x); });
    case ScalarOp::nearest: return map<T, T>(n, out, a, [](T x) { return std::nearbyint(x); });
    default: break;
  }
  T* __restrict r = static_cast<T*>(out);
  const T *x = static_cast<const T*>(a), *y = static_cast<const T*>(b), *z = static_cast<const T*>(c);
  for (std::size_t k = 0; k < n; ++k) r[k] = std::fma(x[k], y[k], z[k]);
}

template <class T> void compare(ScalarOp op, std::size_t n, void* out, const void* a, const void* b) {
  switch (op) {
    case ScalarOp::lt: return map<bool, T>(n, out, a, b, [](T x, T y) { return x < y; });
    case ScalarOp::le: return map<bool, T>(n, out, a, b, [](T x, T y) { return x <= y; });
    case ScalarOp::eq: return map<bool, T>(n, out, a, b, [](T x, T y) { return x == y; });
    default: return map<bool, T>(n, out, a, b, [](T x, T y) { return x != y; });
  }
}

template <class T> void bitwise(const Instruction& i, std::size_t n, void* out, const void* a, const void* b) {
  using U = std::conditional_t<std::is_same_v<T, bool>, bool, Bits<T>>;
  const auto distance = static_cast<int>(i.imm);
  switch (i.op) {
    case ScalarOp::bit_and: return map<U, U>(n, out, a, b, [](U x, U y) { return static_cast<U>(x & y); });
    case ScalarOp::bit_or: return map<U, U>(n, out, a, b, [](U x, U y) { return static_cast<U>(x | y); });
    case ScalarOp::bit_xor: return map<U, U>(n, out, a, b, [](U x, U y) { return static_cast<U>(x ^ y); });
    case ScalarOp::bit_not:
      if constexpr (std::is_same_v<U, bool>)
        return map<U, U>(n, out, a, [](U x) { return !x; });
      else
        return map<U, U>(n, out, a, [](U x) { return static_cast<U>(~x); });
    case ScalarOp::shl: return map<U, U>(n, out, a, [=](U x) { return static_cast<U>(x << distance); });
    case ScalarOp::shr: return map<U, U>(n, out, a, [=](U x) { return static_cast<U>(x >> distance); });
    default: break;
  }
  using S = std::make_signed_t<Bits<T>>;
  map<S, S>(n, out, a, [=](S x) { return static_cast<S>(x >> distance); });
}

template <class T> void select(std::size_t n, void* out, const void* mask, const void* a, const void* b) {
  T* __restrict r = static_cast<T*>(out);
  const bool* m = static_cast<const bool*>(mask);
  const T *x = static_cast<const T*>(a), *y = static_cast<const T*>(b);
  for (std::size_t k = 0; k < n; ++k) r[k] = m[k] ? x[k] : y[k];
}

// Calls f with an accumulator's value and combine as a function of two values.
template <class F> void with_combine(Reduction op, DType t, F&& f) {
  if (op == Reduction::any || op == Reduction::all) {
    visit(t, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (floating<T>)
        return;
      else if (op == Reduction::any)
        f(T{0}, [](T x, T y) { return static_cast<T>(x | y); });
      else
        f(static_cast<T>(std::is_same_v<T, bool> ? 1 : -1), [](T x, T y) { return static_cast<T>(x & y); });
    });
    return;
  }
  visit(t, [&](auto zero) {
    using T = decltype(zero);
    using Limits = std::numeric_limits<T>;
    constexpr bool infinite = Limits::has_infinity;
    if constexpr (std::is_same_v<T, bool>)
      return;
    else if (op == Reduction::sum)
      f(T{0}, [](T x, T y) { return add(x, y); });
    else if (op == Reduction::prod)
      f(T{1}, [](T x, T y) { return mul(x, y); });
    else if (op == Reduction::max)
      f(infinite ? negative(Limits::infinity()) : Limits::min(), [](T x, T y) { return ((x > y) | (x != x)) ? x : y; });
    else
      f(infinite ? Limits::infinity() : Limits::max(), [](T x, T y) { return ((x < y) | (x != x)) ? x : y; });
  });
}

template <class T> inline constexpr bool stored_as_is = !std::is_same_v<T, bool>;

}  // namespace

void run(const Instruction& i, DType source, std::size_t n, void* out, const void* a, const void* b, const void* c) {
  switch (i.op) {
    case ScalarOp::add:
    case ScalarOp::sub:
    case ScalarOp::mul:
    case ScalarOp::div:
    case ScalarOp::neg:
    case ScalarOp::abs:
      return visit(i.type, [&](auto zero) {
        if constexpr (stored_as_is<decltype(zero)>) arithmetic<decltype(zero)>(i.op, n, out, a, b);
      });
    case ScalarOp::fma:
    case ScalarOp::scalb:
    case ScalarOp::exponent:
    case ScalarOp::significand:
    case ScalarOp::sqrt:
    case ScalarOp::floor:
    case ScalarOp::ceil:
    case ScalarOp::trunc:
    case ScalarOp::nearest:
      return i.type == DType::f64 ? floats_only<double>(i.op, n, out, a, b, c)
                                  : floats_only<float>(i.op, n, out, a, b, c);
    case ScalarOp::lt:
    case ScalarOp::le:
    case ScalarOp::eq:
    case ScalarOp::ne: return visit(source, [&](auto zero) { compare<decltype(zero)>(i.op, n, out, a, b); });
    case ScalarOp::bit_and:
    case ScalarOp::bit_or:
    case ScalarOp::bit_xor:
    case ScalarOp::bit_not:
    case ScalarOp::shl:
    case ScalarOp::shr:
    case ScalarOp::sar:
      return visit(i.type, [&](auto zero) {
        if constexpr (!floating<decltype(zero)>) bitwise<decltype(zero)>(i, n, out, a, b);
      });
    case ScalarOp::select: return visit(i.type, [&](auto zero) { select<decltype(zero)>(n, out, a, b, c); });
    case ScalarOp::bitcast: std::memcpy(out, a, n * size_of(i.type)); return;
    case ScalarOp::convert:
      if (i.type == DType::bf16) return map<float, float>(n, out, a, rounded<bfloat16>);
      if (i.type == DType::f16) return map<float, float>(n, out, a, rounded<float16>);
      return visit(i.type, [&](auto to) {
        visit(source,
              [&](auto from) { map<decltype(to), decltype(from)>(n, out, a, convert<decltype(to), decltype(from)>); });
      });
    case ScalarOp::input:
    case ScalarOp::constant: return;
  }
}

void fill(DType t, std::size_t n, void* out, const void* value) {
  visit(t, [&](auto zero) {
    using T = decltype(zero);
    T v;
    std::memcpy(&v, value, sizeof v);
    T* r = static_cast<T*>(out);
    for (std::size_t k = 0; k < n; ++k) r[k] = v;
  });
}

void load(DType stored, std::size_t n, void* out, const void* from, std::int64_t stride) {
  visit_dtype(stored, [&](auto zero) {
    using S = decltype(zero);
    using T = std::conditional_t<std::is_same_v<S, bfloat16> || std::is_same_v<S, float16>, float, S>;
    using Raw = std::conditional_t<std::is_same_v<S, bool>, std::uint8_t, S>;
    T* __restrict r = static_cast<T*>(out);
    const auto value = [](Raw x) { return static_cast<T>(x); };
    if (stride == sizeof(S)) {
      const Raw* x = static_cast<const Raw*>(from);
      for (std::size_t k = 0; k < n; ++k) r[k] = value(x[k]);
    } else {
      const std::byte* x = static_cast<const std::byte*>(from);
      for (std::size_t k = 0; k < n; ++k)
        r[k] = value(*reinterpret_cast<const Raw*>(x + static_cast<std::int64_t>(k) * stride));
    }
  });
}

void store(DType stored, std::size_t n, const void* values, void* to, std::int64_t stride) {
  visit_dtype(stored, [&](auto zero) {
    using S = decltype(zero);
    using T = std::conditional_t<std::is_same_v<S, bfloat16> || std::is_same_v<S, float16>, float, S>;
    const T* x = static_cast<const T*>(values);
    if (stride == sizeof(S)) {
      S* __restrict r = static_cast<S*>(to);
      for (std::size_t k = 0; k < n; ++k) r[k] = S(x[k]);
    } else {
      std::byte* r = static_cast<std::byte*>(to);
      for (std::size_t k = 0; k < n; ++k) *reinterpret_cast<S*>(r + static_cast<std::int64_t>(k) * stride) = S(x[k]);
    }
  });
}

void clear(Reduction op, DType t, std::size_t n, void* accumulators) {
  with_combine(op, t, [&](auto start, auto) { fill(t, n, accumulators, &start); });
}

void combine(Reduction op, DType t, std::size_t n, void* accumulators, const void* values) {
  with_combine(op, t, [&]<class T>(T, auto f) {
    T* __restrict r = static_cast<T*>(accumulators);
    const T* x = static_cast<const T*>(values);
    for (std::size_t k = 0; k < n; ++k) r[k] = f(r[k], x[k]);
  });
}

void accumulate(Reduction op, DType t, std::size_t n, void* accumulators, const void* values) {
  with_combine(op, t, [&]<class T>(T, auto f) {
    T* __restrict r = static_cast<T*>(accumulators);
    const T* x = static_cast<const T*>(values);
    std::size_t k = 0;
    T p[16];
    std::memcpy(p, r, sizeof p);
    for (; k + 16 <= n; k += 16)
      for (std::size_t j = 0; j < 16; ++j) p[j] = f(p[j], x[k + j]);
    for (std::size_t j = 0; k + j < n; ++j) p[j] = f(p[j], x[k + j]);
    std::memcpy(r, p, sizeof p);
  });
}

void tree(Reduction op, DType t, void* accumulators) {
  with_combine(op, t, [&]<class T>(T, auto f) {
    T* r = static_cast<T*>(accumulators);
    for (std::size_t half = 8; half >= 1; half /= 2)
      for (std::size_t k = 0; k < half; ++k) r[k] = f(r[k], r[k + half]);
  });
}

}  // namespace weft::tile
