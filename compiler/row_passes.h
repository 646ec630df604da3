// The passes over a row's columns that a kernel takes, one per level: what the interpreter and the code generator
// share.
#pragma once

#include <cstdint>
#include <vector>

#include "kernel.h"

namespace weft {

/// One level of a row: first the row instructions, then, if it computes anything, one pass over the columns.
struct KernelPass {
  std::vector<std::uint16_t> row;         // row instructions, in order
  std::vector<std::uint16_t> full;        // full instructions to compute for every column, in order
  std::vector<std::uint16_t> fetched;     // kept ones that an earlier pass computed
  std::vector<std::uint16_t> saved;       // those of `full` that a later pass fetches
  std::vector<std::uint16_t> reductions;  // numbers of the reductions, along the row and down the columns
  std::vector<std::uint16_t> stores;      // numbers of the stores of full values

  bool over_columns() const { return !reductions.empty() || !stores.empty(); }
};

/// The passes in order. Stores of row values are in none: they are made when all passes of the row are done.
std::vector<KernelPass> passes_of(const Kernel& kernel);

}  // namespace weft
