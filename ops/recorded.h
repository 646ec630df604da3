// The recording domain: evaluating an op's formula on Recorded values writes the Formula down.
//
// What a domain V over elements T (float, double, int32, int64, uint8) offers, here and in kernels/native.h; formulas
// use nothing else, so that they mean the same in every domain:
//   V(c)                          a constant, c any number
//   + - * /  unary -              fma(a, b, c)  abs(a)  sqrt(a) floor(a) ceil(a) trunc(a) nearest(a)
//   scalb(a, n)                   a 2^n, of operands as ScalarOp::scalb has them
//   exponent(a) significand(a)    as ScalarOp has them
//   a < b, <=, >, >=, ==, !=      give Mask<V>;  masks: & | ^ !
//   where(mask, a, b)
//   bits(v) -> Int<V>             from_bits<V>(i)        the same bits as a signed integer of the same width
//   Int<V>: + - * & | ^ ~, shl<n>(i) shr<n>(i) sar<n>(i)
//   convert<W>(v)                 to another domain over another element type, as ScalarOp::convert
//   Element<V>                    T, to choose coefficients: if constexpr (std::is_same_v<Element<V>, float>)
#pragma once

#include <bit>
#include <type_traits>

#include "formula.h"

namespace weft {

template <class T> struct RecordedMask;

namespace detail {
/// The formula being written by this thread.
struct FormulaWriter {
  Formula formula;
  std::uint16_t put(ScalarOp op, DType type, std::uint16_t a = 0, std::uint16_t b = 0, std::uint16_t c = 0,
                    std::uint64_t imm = 0);
  static FormulaWriter*& current();
};
inline std::uint16_t put(ScalarOp op, DType type, std::uint16_t a = 0, std::uint16_t b = 0, std::uint16_t c = 0,
                         std::uint64_t imm = 0) {
  return FormulaWriter::current()->put(op, type, a, b, c, imm);
}
template <class T> std::uint64_t bits_of(T x) {
  if constexpr (sizeof(T) == 8)
    return std::bit_cast<std::uint64_t>(x);
  else if constexpr (sizeof(T) == 4)
    return std::bit_cast<std::uint32_t>(x);
  else
    return static_cast<std::uint8_t>(x);
}
template <class T> using SignedAs = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
}  // namespace detail

/// A value of the recording domain: the number of an instruction.
template <class T> struct Recorded {
  std::uint16_t id;

  template <class Number>
  requires std::is_arithmetic_v<Number> Recorded(Number c)
      : id(detail::put(ScalarOp::constant, dtype_of<T>, 0, 0, 0, detail::bits_of(static_cast<T>(c)))) {}

  static Recorded at(std::uint16_t id) { return Recorded(id, 0); }

  friend Recorded operator+(Recorded a, Recorded b) { return binary(ScalarOp::add, a, b); }
  friend Recorded operator-(Recorded a, Recorded b) { return binary(ScalarOp::sub, a, b); }
  friend Recorded operator*(Recorded a, Recorded b) { return binary(ScalarOp::mul, a, b); }
  friend Recorded operator/(Recorded a, Recorded b) { return binary(ScalarOp::div, a, b); }
  friend Recorded operator&(Recorded a, Recorded b) { return binary(ScalarOp::bit_and, a, b); }
  friend Recorded operator|(Recorded a, Recorded b) { return binary(ScalarOp::bit_or, a, b); }
  friend Recorded operator^(Recorded a, Recorded b) { return binary(ScalarOp::bit_xor, a, b); }
  friend Recorded operator~(Recorded a) { return unary(ScalarOp::bit_not, a); }
  friend Recorded operator-(Recorded a) { return unary(ScalarOp::neg, a); }
  friend Recorded abs(Recorded a) { return unary(ScalarOp::abs, a); }
  friend Recorded sqrt(Recorded a) { return unary(ScalarOp::sqrt, a); }
  friend Recorded floor(Recorded a) { return unary(ScalarOp::floor, a); }
  friend Recorded ceil(Recorded a) { return unary(ScalarOp::ceil, a); }
  friend Recorded trunc(Recorded a) { return unary(ScalarOp::trunc, a); }
  friend Recorded nearest(Recorded a) { return unary(ScalarOp::nearest, a); }
  friend Recorded fma(Recorded a, Recorded b, Recorded c) {
    return at(detail::put(ScalarOp::fma, dtype_of<T>, a.id, b.id, c.id));
  }
  friend Recorded scalb(Recorded a, Recorded n) { return binary(ScalarOp::scalb, a, n); }
  friend Recorded exponent(Recorded a) { return unary(ScalarOp::exponent, a); }
  friend Recorded significand(Recorded a) { return unary(ScalarOp::significand, a); }
  friend RecordedMask<T> operator<(Recorded a, Recorded b) { return compare(ScalarOp::lt, a, b); }
  friend RecordedMask<T> operator<=(Recorded a, Recorded b) { return compare(ScalarOp::le, a, b); }
  friend RecordedMask<T> operator>(Recorded a, Recorded b) { return compare(ScalarOp::lt, b, a); }
  friend RecordedMask<T> operator>=(Recorded a, Recorded b) { return compare(ScalarOp::le, b, a); }
  friend RecordedMask<T> operator==(Recorded a, Recorded b) { return compare(ScalarOp::eq, a, b); }
  friend RecordedMask<T> operator!=(Recorded a, Recorded b) { return compare(ScalarOp::ne, a, b); }

 private:
  Recorded(std::uint16_t id, int) : id(id) {}
  static Recorded unary(ScalarOp op, Recorded a) { return at(detail::put(op, dtype_of<T>, a.id)); }
  static Recorded binary(ScalarOp op, Recorded a, Recorded b) { return at(detail::put(op, dtype_of<T>, a.id, b.id)); }
  static RecordedMask<T> compare(ScalarOp op, Recorded a, Recorded b) {
    return {detail::put(op, dtype_of<T>, a.id, b.id)};
  }
};

/// A mask of the recording domain.
template <class T> struct RecordedMask {
  std::uint16_t id;

  friend RecordedMask operator&(RecordedMask a, RecordedMask b) {
    return {detail::put(ScalarOp::bit_and, DType::boolean, a.id, b.id)};
  }
  friend RecordedMask operator|(RecordedMask a, RecordedMask b) {
    return {detail::put(ScalarOp::bit_or, DType::boolean, a.id, b.id)};
  }
  friend RecordedMask operator^(RecordedMask a, RecordedMask b) {
    return {detail::put(ScalarOp::bit_xor, DType::boolean, a.id, b.id)};
  }
  friend RecordedMask operator!(RecordedMask a) { return {detail::put(ScalarOp::bit_not, DType::boolean, a.id)}; }
};

// Traits of a domain; kernels/native.h specialises them for the native one.
template <class V> struct DomainTraits;
template <class T> struct DomainTraits<Recorded<T>> {
  using Element = T;
  using Mask = RecordedMask<T>;
  using Int = Recorded<detail::SignedAs<T>>;
};
template <class V> using Element = typename DomainTraits<V>::Element;
template <class V> using Mask = typename DomainTraits<V>::Mask;
template <class V> using Int = typename DomainTraits<V>::Int;

template <class T> Recorded<T> where(RecordedMask<T> m, Recorded<T> a, Recorded<T> b) {
  return Recorded<T>::at(detail::put(ScalarOp::select, dtype_of<T>, m.id, a.id, b.id));
}
template <class T> Recorded<detail::SignedAs<T>> bits(Recorded<T> a) {
  using I = detail::SignedAs<T>;
  return Recorded<I>::at(detail::put(ScalarOp::bitcast, dtype_of<I>, a.id));
}
template <class V, class I> V from_bits(Recorded<I> a) {
  return V::at(detail::put(ScalarOp::bitcast, dtype_of<Element<V>>, a.id));
}
template <int n, class I> Recorded<I> shl(Recorded<I> a) {
  return Recorded<I>::at(detail::put(ScalarOp::shl, dtype_of<I>, a.id, 0, 0, n));
}
template <int n, class I> Recorded<I> shr(Recorded<I> a) {
  return Recorded<I>::at(detail::put(ScalarOp::shr, dtype_of<I>, a.id, 0, 0, n));
}
template <int n, class I> Recorded<I> sar(Recorded<I> a) {
  return Recorded<I>::at(detail::put(ScalarOp::sar, dtype_of<I>, a.id, 0, 0, n));
}
template <class W, class T> W convert(Recorded<T> a) {
  return W::at(detail::put(ScalarOp::convert, dtype_of<Element<W>>, a.id));
}

}  // namespace weft
