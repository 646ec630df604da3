// Conversion between element types, as the op `cast` does it.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "dtype.h"

namespace weft::detail {

/// One element: float to integer truncates and saturates, NaN to 0; to bool is != 0; integers wrap.
template <class To, class From> To convert_element(From x) {
  if constexpr (std::is_same_v<From, bfloat16> || std::is_same_v<From, float16>) {
    return convert_element<To>(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != From{};
  } else if constexpr (std::is_same_v<To, bfloat16> || std::is_same_v<To, float16>) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (x != x) return 0;
    // 2^31, 2^63 and 2^8 are exact; max itself may not be
    const From end = static_cast<From>(2) * static_cast<From>(To{1} << (std::numeric_limits<To>::digits - 1));
    if (x >= end) return std::numeric_limits<To>::max();
    const From low = std::is_signed_v<To> ? -end : From{0};
    if (x <= low) return std::numeric_limits<To>::min();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

/// n elements; steps in elements.
void convert_elements(DType from_type, const void* from, std::int64_t from_step, DType to_type, void* to,
                      std::int64_t to_step, std::int64_t n);

}  // namespace weft::detail
