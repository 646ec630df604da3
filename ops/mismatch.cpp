#include "mismatch.h"

#include <fmt/format.h>

namespace weft::detail {

DTypeError dtypes_differ(DType a, DType b) {
  return DTypeError(fmt::format("dtypes differ: {} and {}", name_of(a), name_of(b)),
                    is_floating(a) && is_floating(b)
                        ? fmt::format("cast one: the {0} to {1}, or the {1} to {0}", name_of(a), name_of(b))
                        : fmt::format("cast one: cast(x, {})", name_of(is_floating(a) ? a : b)));
}

}  // namespace weft::detail
