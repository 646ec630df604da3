// Which numbers a tensor of a dtype can hold.
#pragma once

#include "dtype.h"

namespace weft::detail {

/// DTypeError unless a dtype holds the literal n: floats any number, rounded; integers whole ones in their range; bool
/// 0 and 1.
void check_literal(DType dtype, double n);

}  // namespace weft::detail
