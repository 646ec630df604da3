// Where and with what the figures were measured.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <weft/tensor/roofline.h>

namespace weft::bench {

/// CPU, instruction set, threads, load, versions, commit and the like: name and value. Measures the roofline.
std::vector<std::pair<std::string, std::string>> describe_machine();

/// "L2 227 GB/s". A level that measured slower than the next, because others had the cache, has that one's rate
/// (measure_roofline), and says so.
std::string level_text(const Roofline& machine, std::size_t level);

/// Of num_threads() when first asked for, which takes about two seconds.
const Roofline& roofline();

}  // namespace weft::bench
