// The roofline model drawn: operations a second over operations a byte, under what the machine allows.
#pragma once

#include <string>
#include <vector>

#include <weft/tensor/roofline.h>
#include "table.h"

namespace weft::bench {

/// The rows that have both FLOP/s and B/s as dots, each naming itself; the ceilings of each level of memory, and of
/// fma.
std::string roofline_svg(const Roofline& machine, const std::vector<Row>& rows);

}  // namespace weft::bench
