// A Kernel is a fused loop as data: what one launch computes for `rows` rows of `cols` elements. compiler/jit turns it
// into machine code, compiler/interpreter runs it as it stands; both give the same bits.
//
// The loop, for each row r in order:
//   instructions of space `row` run once; instructions of space `full` run for every column. Levels order them: a
//   reduction along the row (kind `row`) of a value of level L is known, as a row value, from level L + 1 on. Level by
//   level, one pass over the columns computes what that level's reductions and stores need. A full value that a later
//   level reads is computed again there, unless `kept` says to keep it in a row buffer (both give the same bits). A few
//   rows that fit the first cache may go through a pass together, before the next pass begins.
//
// The order of a row reduction, whatever the ISA: the row is cut in blocks of 4096 columns; in a block, element c goes
// to partial c mod 16, each partial starting at the identity and taking its elements in order; then partials i and i+8
// are combined for i < 8, then i and i+4, i+2, i+1 (left operand the lower); blocks are combined in order, starting at
// the identity: total = combine(total, block). A column reduction (kind `col`) has its accumulators, one a column, in
// the memory of its operand: a call sets them to the identity, then takes its rows in order. (The caller cuts rows in
// blocks of 256 and combines the results.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../ops/formula.h"
#include "../ops/reduction.h"

namespace weft {

/// How an operand moves along the columns. Along the rows it moves by a byte stride given at the call.
enum class ColumnStep : std::uint8_t {
  contiguous,  // element c at offset c
  fixed,       // the same element for the whole row: a row value
  strided,     // element c at c * (the column byte stride given at the call)
  repeated,    // element c at c / (the repeat given at the call, 16 at least) * (the column byte stride); inputs only
};

inline constexpr std::int64_t most_small_columns = 64, least_repeat = 16;
inline constexpr std::int64_t least_interleaved = 16, most_lanes = 64;

struct KernelOperand {
  DType dtype;  // as stored: any of the eight. bf16 and f16 load as f32 and are rounded when stored
  ColumnStep step;
  bool output;
  bool past_caches = false;  // contiguous, and larger than they are: stored around them, or fetched well ahead

  bool operator==(const KernelOperand&) const = default;
};

/// One instruction of a kernel: a scalar operation whose a, b, c are indices into Kernel::code. For op `input`, imm is
/// the operand to load; a boolean operand loads as a mask. In place of `input`, `reduced` >= 0 makes it the result of
/// that row reduction. A `convert` to bf16 or f16 rounds to it: the value is the f32 that a store and a load would
/// make.
struct KernelInstruction {
  Instruction scalar;
  std::int16_t reduced = -1;  // op is `input`, imm unused: the result of reductions[reduced]
  bool full = true;           // space: one a column (full) or one a row
  std::uint8_t level = 0;
  bool kept = false;  // full values only: kept in a row buffer when computed, read from there by later levels

  bool operator==(const KernelInstruction&) const = default;
};

/// The type of an instruction's value: a compute type, or boolean.
constexpr DType value_type(const KernelInstruction& i) { return compute_type(result_type(i.scalar)); }

struct KernelReduction {
  Reduction op;
  DType dtype;                // f32, f64, i32, i64, u8 or boolean; the accumulator's type and its value's
  std::uint16_t value;        // a full instruction
  bool column;                // kind: false along the row, true down the columns
  std::uint16_t operand = 0;  // column: the output of this dtype that holds the accumulators (contiguous)

  bool operator==(const KernelReduction&) const = default;
};

/// Stores `value` to an output operand: a full value to step contiguous or strided, a row value to step fixed.
struct KernelStore {
  std::uint16_t value, operand;

  bool operator==(const KernelStore&) const = default;
};

struct Kernel {
  std::vector<KernelOperand> operands;
  std::vector<KernelInstruction> code;  // operands of an instruction come before it; levels never fall along uses
  std::vector<KernelReduction> reductions;
  std::vector<KernelStore> stores;
  std::int32_t small_cols = 0;  // > 0: the exact number of columns, at most 64; 0: any number, given at the call.
                                // With an operand of step repeated it is 0, and there are less than 2^31 columns
  bool busy = false;            // launches so long that more code pays: never another result
  bool interleaved = false;     // see KernelCall

  bool operator==(const Kernel&) const = default;
  /// One line per operand, instruction, reduction and store; the same text for equal kernels. Also the cache key.
  std::string text() const;
};

/// What a call of a kernel gets. Operand i of row r starts at pointers[i] + r * row_strides[i] bytes.
/// An output may be the same memory as an input of the same dtype and strides (element by element in place) if no level
/// after the store's computes from that input; otherwise no output overlaps any other operand. Full values are stored
/// in the pass of their level, row values when all passes of the row are done.
///
/// Interleaved rows: for each row r of the call as many as it says, 16 at least. Element c of the j-th of them lies at
/// c * (the column byte stride of any operand) + j elements (step contiguous), or is the same for all j (step fixed). A
/// row value is one of each of them, and stored to step contiguous. Their reductions take the columns in order, in
/// blocks of 256 from the identity on, and the blocks in order; there are none down the columns. Column buffers of kept
/// values have most_lanes elements for each column. Some rows may be computed twice: no output overlaps another
/// operand.
struct KernelCall {
  void* const* pointers;
  const std::int64_t* row_strides;  // bytes
  const std::int64_t* col_strides;  // bytes; read for steps strided and repeated only, or where rows lie interleaved
  std::int64_t rows, cols;
  void* scratch;  // row buffers: scratch_bytes(kernel, cols), 64-byte aligned, private to the calling thread
  const std::int64_t* repeats = nullptr;  // columns that show the same element; read for step repeated only
  std::int64_t interleave = 1;            // rows that lie interleaved; read where the kernel has them
};

using KernelFunction = void (*)(const KernelCall*);

/// Of interleaved rows, bytes from an operand's element of one of them to that of the next.
inline std::int64_t lane_stride(const KernelOperand& o) {
  return o.step == ColumnStep::contiguous ? static_cast<std::int64_t>(size_of(o.dtype)) : 0;
}

/// The most columns of which so many rows, with what is kept of them, fit the first cache.
std::int64_t longest_of(const Kernel& kernel, std::int64_t rows);
/// How many rows of `cols` columns may go through a pass together: at most four.
std::int64_t rows_at_once(const Kernel& kernel, std::int64_t cols);
inline constexpr std::int64_t most_rows_at_once = 4;

/// Bytes of row buffers that a call with `cols` columns needs, for each row that is taken at once: one array of cols +
/// 32 elements, each rounded up to 64 bytes, for every kept instruction, in order.
std::size_t scratch_bytes(const Kernel& kernel, std::int64_t cols);
/// One of those arrays.
std::size_t kept_bytes(DType type, std::int64_t cols);

}  // namespace weft
