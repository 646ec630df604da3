// A number as a program writes it, and which tensors can hold it.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "dtype.h"

namespace weft {

/// A number on its way into a tensor: a double, or a whole number with all its 64 bits, of which a double has 53.
class Literal {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr Literal(Number n) : real_(static_cast<double>(n)) {
    if constexpr (std::is_integral_v<Number>)
      is_whole_ = std::is_signed_v<Number> || static_cast<std::uint64_t>(n) <= std::uint64_t{INT64_MAX};
    else
      is_whole_ = real_ >= -0x1p63 && real_ < 0x1p63 && real_ == static_cast<double>(static_cast<std::int64_t>(real_));
    if (is_whole_) whole_ = static_cast<std::int64_t>(n);
  }

  /// Rounded, if it is whole and large.
  double real() const { return real_; }
  /// All 64 bits of a whole number that i64 holds, else nothing.
  std::optional<std::int64_t> whole() const { return is_whole_ ? std::optional(whole_) : std::nullopt; }
  /// A zero with the sign +.
  bool is_zero() const { return std::bit_cast<std::uint64_t>(real_) == 0; }
  std::string text() const;
  /// DTypeError unless a dtype holds it: floats any number, rounded; integers whole ones in their range; bool 0 and 1.
  void check(DType dtype) const;
  /// Writes it n times, rounded or saturated if need be; the step is in elements.
  void write(DType dtype, void* to, std::int64_t step, std::int64_t n) const;
  /// By bits: -0 is not 0, NaN is itself.
  bool operator==(const Literal& o) const {
    return whole_ == o.whole_ && std::bit_cast<std::uint64_t>(real_) == std::bit_cast<std::uint64_t>(o.real_);
  }

 private:
  bool holds(DType dtype) const;
  bool is_rounded() const { return is_whole_ && (real_ >= 0x1p63 || static_cast<std::int64_t>(real_) != whole_); }

  double real_;
  std::int64_t whole_ = 0;
  bool is_whole_ = false;
};

}  // namespace weft
