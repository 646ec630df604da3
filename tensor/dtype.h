// The element types, and the two 16-bit floats that g++ 12 lacks.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string_view>

namespace weft {

enum class DType : std::uint8_t { f32, f64, bf16, f16, i32, i64, u8, boolean };

inline constexpr DType f32 = DType::f32, f64 = DType::f64, bf16 = DType::bf16, f16 = DType::f16, i32 = DType::i32,
                       i64 = DType::i64, u8 = DType::u8, boolean = DType::boolean;

/// Bytes of one element.
constexpr std::size_t size_of(DType t) {
  constexpr std::uint8_t sizes[] = {4, 8, 2, 2, 4, 8, 1, 1};
  return sizes[static_cast<int>(t)];
}

/// "f32", "bf16", "bool", ...
constexpr std::string_view name_of(DType t) {
  constexpr std::string_view names[] = {"f32", "f64", "bf16", "f16", "i32", "i64", "u8", "bool"};
  return names[static_cast<int>(t)];
}

/// Its name.
std::ostream& operator<<(std::ostream& out, DType t);

constexpr bool is_floating(DType t) { return t <= DType::f16; }
constexpr bool is_integer(DType t) { return t == DType::i32 || t == DType::i64 || t == DType::u8; }

/// The type that arithmetic on `t` is done in: f32 for the two 16-bit floats, `t` itself otherwise.
constexpr DType compute_type(DType t) { return t == DType::bf16 || t == DType::f16 ? DType::f32 : t; }

/// bfloat16: the upper half of an f32; conversion rounds to nearest even, NaN stays NaN.
struct bfloat16 {
  std::uint16_t bits = 0;

  constexpr bfloat16() = default;
  constexpr bfloat16(float x) : bits(round(x)) {}
  constexpr operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

 private:
  static constexpr std::uint16_t round(float x) {
    const auto u = std::bit_cast<std::uint32_t>(x);
    if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((u >> 16) | 0x40u);
    return static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
};

/// IEEE binary16; conversion rounds to nearest even.
struct float16 {
  std::uint16_t bits = 0;

  constexpr float16() = default;
  constexpr float16(float x) : bits(round(x)) {}
  constexpr operator float() const {
    const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16, rest = bits & 0x7fffu;
    if (rest >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((rest & 0x3ffu) << 13));
    if (rest >= 0x0400u) return std::bit_cast<float>(sign | ((rest << 13) + (112u << 23)));
    const float tiny = static_cast<float>(rest) * 0x1p-24f;  // subnormal: exact in f32
    return sign ? -tiny : tiny;
  }

 private:
  static constexpr std::uint16_t round(float x) {
    const auto u = std::bit_cast<std::uint32_t>(x);
    const auto sign = static_cast<std::uint16_t>((u >> 16) & 0x8000u);
    const std::uint32_t a = u & 0x7fffffffu;
    if (a > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (a >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // rounds to 65536 or beyond
    if (a >= 0x38800000u) {                                                   // normal
      const std::uint32_t r = a - (112u << 23) + 0xfffu + ((a >> 13) & 1u);
      return static_cast<std::uint16_t>(sign | (r >> 13));
    }
    if (a < 0x33000000u) return sign;  // below half of the smallest subnormal
    const std::uint32_t shift = 126u - (a >> 23), mantissa = (a & 0x7fffffu) | 0x800000u;
    const std::uint32_t half = 1u << (shift - 1), kept = mantissa >> shift, lost = mantissa & ((1u << shift) - 1);
    return static_cast<std::uint16_t>(sign | (kept + (lost > half || (lost == half && (kept & 1u)))));
  }
};

/// The DType of a C++ element type: dtype_of<float> == DType::f32.
template <class T> inline constexpr DType dtype_of = T::not_an_element_type;
template <> inline constexpr DType dtype_of<float> = DType::f32;
template <> inline constexpr DType dtype_of<double> = DType::f64;
template <> inline constexpr DType dtype_of<bfloat16> = DType::bf16;
template <> inline constexpr DType dtype_of<float16> = DType::f16;
template <> inline constexpr DType dtype_of<std::int32_t> = DType::i32;
template <> inline constexpr DType dtype_of<std::int64_t> = DType::i64;
template <> inline constexpr DType dtype_of<long long> = DType::i64;
template <> inline constexpr DType dtype_of<std::uint8_t> = DType::u8;
template <> inline constexpr DType dtype_of<bool> = DType::boolean;

/// Calls f with a value of the C++ type of `t`: visit_dtype(t, [&](auto zero) { using T = decltype(zero); ... }).
template <class F> decltype(auto) visit_dtype(DType t, F&& f) {
  switch (t) {
    case DType::f32: return f(float{});
    case DType::f64: return f(double{});
    case DType::bf16: return f(bfloat16{});
    case DType::f16: return f(float16{});
    case DType::i32: return f(std::int32_t{});
    case DType::i64: return f(std::int64_t{});
    case DType::u8: return f(std::uint8_t{});
    case DType::boolean: break;
  }
  return f(bool{});
}

}  // namespace weft
