// A roofline in words, as profiles and benches print it.
#pragma once

#include <cstddef>
#include <string>

#include "roofline.h"

namespace weft {

/// "L2 227 GB/s". A level that measured slower than the next, because others had the cache, has that one's rate
/// (measure_roofline), and says so.
std::string level_text(const Roofline& machine, std::size_t level);

/// The rates of arithmetic, and every level.
std::string roofline_text(const Roofline& machine);

}  // namespace weft
