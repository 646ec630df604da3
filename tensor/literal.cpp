#include "literal.h"

#include <fmt/format.h>

#include <utility>

#include "convert.h"
#include "error.h"

namespace weft {

bool Literal::holds(DType dtype) const {
  return visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>)
      return real_ == 0 || real_ == 1;
    else if constexpr (std::is_integral_v<T>)
      return is_whole_ && std::in_range<T>(whole_);
    else
      return true;
  });
}

std::string Literal::text() const { return is_rounded() ? fmt::format("{}", whole_) : fmt::format("{}", real_); }

void Literal::check(DType dtype) const {
  if (holds(dtype)) return;
  if (dtype == DType::boolean) throw DTypeError(fmt::format("the literal {} does not fit a bool tensor", text()));
  throw DTypeError(fmt::format("the literal {} does not fit a tensor of {}", text(), name_of(dtype)),
                   holds(i64) ? "cast the tensor to i64" : "cast the tensor to a float type");
}

void Literal::write(DType dtype, void* to, std::int64_t step, std::int64_t n) const {
  if (is_rounded())
    detail::convert_elements(i64, &whole_, 0, dtype, to, step, n);
  else
    detail::convert_elements(f64, &real_, 0, dtype, to, step, n);
}

}  // namespace weft
