// Where and with what the figures were measured.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <weft/tensor/roofline.h>

namespace weft::bench {

/// CPU, instruction set, threads, load, versions, commit and the like: name and value. Measures the roofline.
std::vector<std::pair<std::string, std::string>> describe_machine();

/// Of num_threads(); the first time for each number of threads takes about two seconds.
const Roofline& roofline();

}  // namespace weft::bench
