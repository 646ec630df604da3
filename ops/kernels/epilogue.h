// An epilogue: what takes a matrix product's elements while they are in a core's caches.
#pragma once

#include <cstdint>

namespace weft {

/// `run` gets rows [row, row + rows) and columns [column, column + columns) of C, whose rows are `c_row` elements
/// apart, when their sums are complete: each element once, on the thread that computed it, in no promised order. It
/// must not throw.
struct MatmulEpilogue {
  void (*run)(const void* context, std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
              void* c, std::int64_t c_row);
  const void* context;
};

}  // namespace weft
