// A made-up data set: interleaved spirals, which no straight line separates.
#pragma once

#include <cstdint>

#include "../tensor/site.h"
#include "../tensor/tensor.h"
#include "table.h"

namespace weft::data {

struct Spirals {
  Tensor x;  ///< f32[examples, 2], about within ±1
  Tensor y;  ///< i64[examples], the arm

  /// The same as a table of the columns "x", "y" and "arm".
  Table table() const;
};

/// `arms` spirals of one and a half turns with `each` points an arm, the arms in turn; noise is the deviation of each
/// coordinate. The same seed makes the same points. ArgumentError if each < 1, arms < 2, or noise is negative or NaN.
Spirals spirals(std::int64_t each = 500, std::int64_t arms = 3, double noise = 0.02, std::uint64_t seed = 0,
                Site site = Site::current());

}  // namespace weft::data
