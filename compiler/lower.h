// Lowering: from a fused group to a Kernel, and to how it is launched.
#pragma once

#include <optional>
#include <vector>

#include "groups.h"
#include "kernel.h"

namespace weft {

/// An operand of a launch: the kernel's operand k is element `offset` of `value`'s buffer, and moves so:
struct LaunchOperand {
  ValueId value;
  std::int64_t offset;      // bytes
  Ints row_strides;         // bytes, for each row axis of the launch
  std::int64_t col_stride;  // bytes
  bool output;
  std::int64_t repeat = 1;  // columns that show the same element

  /// From the same element on it shows the same elements.
  bool moves_like(const LaunchOperand& o) const {
    return row_strides == o.row_strides && col_stride == o.col_stride && repeat == o.repeat;
  }
  std::int64_t last_column(std::int64_t cols) const { return (cols - 1) / repeat * col_stride; }  // bytes
};

/// How a kernel's rows and columns lie over a group's space, and how they are cut.
struct Launch {
  Kernel kernel;
  KernelFunction function = nullptr;                                 // null: the kernel is interpreted
  static constexpr std::size_t max_operands = 4 * Group::max_nodes;  // a node has up to three loads and a store
  std::vector<LaunchOperand> operands;
  std::vector<std::uint32_t> nodes;  // the group's
  Shape rows;                        // the row axes, outermost first; may be empty: one row
  std::int64_t cols = 1;
  std::int64_t interleave = 1;  // a row stands for so many, which lie interleaved
  enum Cut : std::uint8_t {
    by_rows,     // whole rows; pieces of any number of them
    by_columns,  // one row, or rows without reductions along them: pieces of columns
    blocks,      // one long row that is reduced: blocks of 4096 columns, combined in order afterwards
    row_blocks,  // column reductions: blocks of 256 rows, combined in order afterwards
    by_lanes,    // interleaved rows; pieces of them
  } cut = by_rows;
  double work = 0;                // rough cost, in elements times instructions
  std::size_t scratch_bytes = 0;  // row buffers of a call
};

/// Where values are stored: each in a buffer of its own, or in a part of another's; none: nothing outside its group
/// needs it.
using Places = std::vector<std::optional<Access>>;

Launch lower_group(const Graph& graph, const Grouping& grouping, const Group& group, const Places& places);

}  // namespace weft
