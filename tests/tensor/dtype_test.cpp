// Element types: the two 16-bit floats over all their patterns, and conversion between any two types.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <sstream>
#include <vector>

#include <weft/tensor/convert.h>
#include <weft/tensor/create.h>

#include "catch.h"

using namespace weft;

namespace {

template <class T> T from_bits(unsigned bits) {
  T x;
  x.bits = static_cast<std::uint16_t>(bits);
  return x;
}

// The value of a 16-bit pattern from its definition.
double value_of(unsigned bits, int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double sign = bits >> 15 ? -1 : 1;
  const int exponent = static_cast<int>(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const int mantissa = static_cast<int>(bits) & ((1 << mantissa_bits) - 1);
  if (exponent == (1 << exponent_bits) - 1) return mantissa ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
}

// CHECKs every f32 between neighbouring 16-bit numbers: halves go to the even one, all else to the nearer.
template <class T> bool rounds_to_nearest_even() {
  for (unsigned bits = 0; bits < 0x7fff; ++bits) {
    const float low = from_bits<T>(bits), high = from_bits<T>(bits + 1);
    if (!std::isfinite(low) || !std::isfinite(high)) continue;
    const float middle = static_cast<float>((static_cast<double>(low) + high) / 2);
    if (static_cast<double>(middle) * 2 != static_cast<double>(low) + high) return false;  // it is exact
    const unsigned even = bits & 1 ? bits + 1 : bits;
    if (T(middle).bits != even || T(-middle).bits != (even | 0x8000)) return false;
    if (T(std::nextafter(middle, 0.0f)).bits != bits || T(std::nextafter(middle, INFINITY)).bits != bits + 1)
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE("all 65536 patterns of bf16 and f16 have their value and come back from f32") {
  bool values = true, round_trips = true;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto same = [](double a, double b) { return a == b ? std::signbit(a) == std::signbit(b) : a != a && b != b; };
    values &= same(static_cast<float>(from_bits<bfloat16>(bits)), value_of(bits, 8, 7));
    values &= same(static_cast<float>(from_bits<float16>(bits)), value_of(bits, 5, 10));
    const bool bf_nan = (bits & 0x7fff) > 0x7f80, nan = (bits & 0x7fff) > 0x7c00;
    const unsigned b = bfloat16(static_cast<float>(from_bits<bfloat16>(bits))).bits,
                   h = float16(static_cast<float>(from_bits<float16>(bits))).bits;
    round_trips &= bf_nan ? (b & 0x7fff) > 0x7f80 && (b & 0x8000) == (bits & 0x8000) : b == bits;
    round_trips &= nan ? (h & 0x7fff) > 0x7c00 && (h & 0x8000) == (bits & 0x8000) : h == bits;
  }
  CHECK(values);
  CHECK(round_trips);
}

TEST_CASE("f32 to bf16 and f16 rounds to nearest, halves to even, over all neighbours") {
  CHECK(rounds_to_nearest_even<bfloat16>());
  CHECK(rounds_to_nearest_even<float16>());
}

TEST_CASE("16-bit floats overflow to infinity where rounding says so, and vanish to signed zeros") {
  CHECK(float16(65519.996f).bits == 0x7bff);
  CHECK(float16(65520.0f).bits == 0x7c00);
  CHECK(float16(-1e10f).bits == 0xfc00);
  CHECK(float16(0x1p-25f).bits == 0);
  CHECK(float16(std::nextafter(0x1p-25f, 1.0f)).bits == 1);
  CHECK(float16(-0x1p-26f).bits == 0x8000);
  CHECK(bfloat16(std::numeric_limits<float>::max()).bits == 0x7f80);
  CHECK(bfloat16(3.3895314e38f).bits == 0x7f7f);
  CHECK(bfloat16(std::bit_cast<float>(0x7f800001u)).bits != 0x7f80);  // a NaN whose payload would be cut off
  CHECK(float16(std::bit_cast<float>(0x7f800001u)).bits != 0x7c00);
}

TEST_CASE("random f32 numbers round to f16 as arithmetic in f64 says") {
  std::mt19937_64 random(1);
  bool good = true;
  for (int i = 0; i < 200'000; ++i) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(random()) & 0xbfffffffu);
    if (!(std::abs(x) < 65504)) continue;
    int exponent;
    std::frexp(x, &exponent);
    const double unit = std::ldexp(1.0, std::max(exponent - 11, -24));
    good &= static_cast<float>(float16(x)) == static_cast<float>(std::nearbyint(x / unit) * unit);
  }
  CHECK(good);
}

TEST_CASE("floats to integers truncate and saturate, NaN to 0") {
  using detail::convert_element;
  CHECK(convert_element<std::int32_t>(2.9) == 2);
  CHECK(convert_element<std::int32_t>(-2.9f) == -2);
  CHECK(convert_element<std::int32_t>(2147483648.0f) == INT32_MAX);
  CHECK(convert_element<std::int32_t>(2147483647.0) == INT32_MAX);
  CHECK(convert_element<std::int32_t>(-2147483648.9) == INT32_MIN);
  CHECK(convert_element<std::int32_t>(-1e30) == INT32_MIN);
  CHECK(convert_element<std::int64_t>(9.3e18) == INT64_MAX);
  CHECK(convert_element<std::int64_t>(9223372036854774784.0) == 9223372036854774784);
  CHECK(convert_element<std::int64_t>(-INFINITY) == INT64_MIN);
  CHECK(convert_element<std::uint8_t>(255.9f) == 255);
  CHECK(convert_element<std::uint8_t>(256.0f) == 255);
  CHECK(convert_element<std::uint8_t>(-0.9f) == 0);
  CHECK(convert_element<std::int32_t>(static_cast<float>(NAN)) == 0);
  CHECK(convert_element<std::uint8_t>(float16(300.0f)) == 255);
}

TEST_CASE("to bool is != 0, from bool is 0 or 1; integers wrap; to 16-bit floats goes through f32") {
  using detail::convert_element;
  CHECK(convert_element<bool>(0.1f));
  CHECK(convert_element<bool>(static_cast<double>(NAN)));
  CHECK_FALSE(convert_element<bool>(-0.0));
  CHECK(convert_element<bool>(256));
  CHECK(static_cast<float>(convert_element<bfloat16>(true)) == 1.0f);
  CHECK(convert_element<std::uint8_t>(-1) == 255);
  CHECK(convert_element<std::int32_t>(std::int64_t{1} << 32) == 0);
  CHECK(static_cast<float>(convert_element<float16>(1.0e300)) == INFINITY);
  CHECK(static_cast<float>(convert_element<bfloat16>(std::int64_t{257})) == 256.0f);
}

TEST_CASE("many elements at once are converted as one by one, between any two types", "[convert]") {
  constexpr DType types[] = {f32, f64, bf16, f16, i32, i64, u8, boolean};
  constexpr std::int64_t n = 70'001;
  std::mt19937_64 random(5);
  for (const DType from : types)
    visit_dtype(from, [&](auto zero) {
      using From = decltype(zero);
      std::vector<std::uint64_t> memory(n);  // aligned for all of them
      From* const x = reinterpret_cast<From*>(memory.data());
      for (std::int64_t i = 0; i < n; ++i) {
        const std::uint64_t bits = random();
        if constexpr (std::is_same_v<From, bool>) {
          x[i] = bits & 1;
        } else if (i % 3 == 0 && is_floating(from)) {  // near the ends of integers, halves and subnormals
          x[i] = static_cast<From>(
              std::ldexp(static_cast<double>(static_cast<std::int64_t>(bits)), -static_cast<int>(bits % 100)));
        } else {
          const std::uint64_t pattern = sizeof(From) == 2 ? static_cast<std::uint64_t>(i) & 0xffff : bits;
          std::memcpy(static_cast<void*>(x + i), &pattern, sizeof(From));
        }
      }
      for (const DType to : types)
        visit_dtype(to, [&](auto other) {
          using To = decltype(other);
          std::vector<std::uint64_t> memory_of_y(n);
          To* const y = reinterpret_cast<To*>(memory_of_y.data());
          detail::convert_elements(from, x, 1, to, y, 1, n);
          std::int64_t wrong = 0;
          for (std::int64_t i = 0; i < n; ++i) {
            const To want = detail::convert_element<To>(x[i]);
            wrong += std::memcmp(&want, y + i, sizeof(To)) != 0 && !(want != want && y[i] != y[i]);
          }
          INFO(name_of(from) << " to " << name_of(to));
          CHECK(wrong == 0);
        });
    });
}

TEST_CASE("names, sizes and kinds of the element types") {
  CHECK(name_of(bf16) == "bf16");
  std::ostringstream text;
  text << f32 << ' ' << bf16 << ' ' << boolean;
  CHECK(text.str() == "f32 bf16 bool");
  CHECK(name_of(boolean) == "bool");
  CHECK((size_of(f32) == 4 && size_of(f64) == 8 && size_of(bf16) == 2 && size_of(f16) == 2));
  CHECK((size_of(i32) == 4 && size_of(i64) == 8 && size_of(u8) == 1 && size_of(boolean) == 1));
  CHECK((is_floating(f16) && !is_floating(i32) && is_integer(u8) && !is_integer(boolean)));
  CHECK(compute_type(bf16) == f32);
  CHECK(compute_type(f64) == f64);
  for (DType t : {f32, f64, bf16, f16, i32, i64, u8, boolean})
    visit_dtype(t, [&](auto zero) { CHECK(dtype_of<decltype(zero)> == t); });
}
