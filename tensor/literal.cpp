#include "literal.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "error.h"

namespace weft::detail {
namespace {

bool holds(DType dtype, double n) {
  return visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>)
      return n == 0 || n == 1;
    else if constexpr (std::is_integral_v<T>)
      return n == std::floor(n) && n >= -0x1p63 && n < 0x1p63 && std::in_range<T>(static_cast<std::int64_t>(n));
    else
      return true;
  });
}

}  // namespace

void check_literal(DType dtype, double n) {
  if (holds(dtype, n)) return;
  if (dtype == DType::boolean) throw DTypeError(fmt::format("the literal {} does not fit a bool tensor", n));
  throw DTypeError(fmt::format("the literal {} does not fit a tensor of {}", n, name_of(dtype)),
                   holds(DType::i64, n) ? "cast the tensor to i64" : "cast the tensor to a float type");
}

}  // namespace weft::detail
