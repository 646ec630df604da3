// Eager reductions: the loops of one ISA, and the blocks and threads around them.
#pragma once

#include "../op.h"
#include "../reduction.h"

namespace weft {

/// Reduces [outer, n, inner] over n; `out` is contiguous.
///
/// The order, whatever the ISA and the threads. inner = 1: blocks of 4096 along n; in a block element r goes to partial
/// r mod 16, each from the identity on; then partials i and i + 8 are combined for i < 8, then 4, 2, 1; blocks in order
/// onto the identity. inner > 1: blocks of 256 along n, each taking its rows in order from the identity on; blocks in
/// order onto the identity.
void run_reduction(Reduction op, std::int64_t outer, std::int64_t n, std::int64_t inner, const View& in,
                   const View& out);

/// One block: n <= row_block contiguous elements to one.
void reduce_block(Reduction op, DType dtype, const void* in, void* out, std::int64_t n);

/// The last step of both orders: out[c] = blocks' results partial[b][c] in order, from the identity on. Of a single
/// block it changes no bit.
void combine_blocks(Reduction op, DType dtype, const void* partial, std::int64_t blocks, std::int64_t inner, void* out);

/// So many blocks of rows, `step` elements apart; in each so many columns of rows `row_stride` apart.
struct ColumnBlocks {
  std::int64_t count, step, rows, row_stride, columns;
};

/// One ISA's loops, by dtype; null where there is none.
struct ReduceLoops {
  /// out[r] of each of `count` rows of n elements, one after the other, as one block each: n <= row_block.
  using Rows = void (*)(const void* in, void* out, std::int64_t n, std::int64_t count);
  /// out[k][c] of each block's column, over its rows in order from the identity on.
  using Columns = void (*)(const void* in, void* out, const ColumnBlocks&);
  Rows rows[6][8] = {};
  Columns columns[6][8] = {};
};
const ReduceLoops* reduce_loops_base();
const ReduceLoops* reduce_loops_avx2();
const ReduceLoops* reduce_loops_avx512();

}  // namespace weft
