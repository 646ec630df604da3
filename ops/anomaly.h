// What debug::AnomalyScope looks for, also inside the bodies of loops and branches, which recorders do not see.
#pragma once

#include <functional>
#include <source_location>
#include <string>

#include "op.h"

namespace weft {

/// NumericsError, with the op and its line, if a result has a NaN that no operand has, or an Inf
/// where all operands are finite. describe(i): operand i as messages show it.
void find_anomaly(const Op& op, const std::source_location& site, Views in, Views out,
                  const std::function<std::string(std::size_t)>& describe);

}  // namespace weft
