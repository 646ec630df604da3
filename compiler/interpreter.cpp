#include "interpreter.h"

#include <algorithm>
#include <memory>

#include "../ops/kernels/tile_ops.h"
#include "interpret_interleaved.h"
#include "row_passes.h"

namespace weft {
namespace {

constexpr std::int64_t tile_columns = 256;

// A batch is what goes through the tiles together: whole rows, as many as fit, or one long row, tile after tile. The
// values of whole rows stay in their tiles from pass to pass; those of a long row are computed again or kept.
class Interpreter {
 public:
  Interpreter(const Kernel& kernel, const KernelCall& call)
      : kernel_(kernel),
        call_(call),
        cols_(kernel.small_cols > 0 ? kernel.small_cols : call.cols),
        whole_(cols_ <= tile_columns),
        batch_(whole_ ? tile_columns / std::max<std::int64_t>(cols_, 1) : 1),
        passes_(passes_of(kernel)),
        tiles_(tiles_of_thread(2 * kernel.code.size() + kernel.reductions.size())) {}

  void run() {
    for (const KernelReduction& r : kernel_.reductions)
      if (r.column) tile::clear(r.op, r.dtype, static_cast<std::size_t>(cols_), call_.pointers[r.operand]);
    for (std::uint16_t n = 0; n < kernel_.code.size(); ++n) {
      const Instruction& s = kernel_.code[n].scalar;
      if (s.op != ScalarOp::constant) continue;
      tile::fill(s.type, tile_columns, tiles_[n].bytes, &s.imm);
      tile::fill(s.type, tile_columns, spread(n), &s.imm);
    }
    for (first_ = 0; first_ < call_.rows; first_ += batch_) {
      rows_ = std::min(batch_, call_.rows - first_);
      done_.assign(kernel_.code.size(), false);
      for (const KernelPass& pass : passes_) {
        row_code(pass);
        if (pass.over_columns()) columns(pass);
      }
      store_row_values();
    }
  }

 private:
  struct alignas(64) Tile {
    std::byte bytes[tile_columns * 8];
  };

  // Kept from call to call: clearing them would take longer than a small kernel.
  static Tile* tiles_of_thread(std::size_t count) {
    thread_local std::unique_ptr<Tile[]> tiles;
    thread_local std::size_t size = 0;
    if (size < count) tiles = std::make_unique_for_overwrite<Tile[]>(size = count);
    return tiles.get();
  }

  DType type_of(std::uint16_t n) const { return value_type(kernel_.code[n]); }
  // A row value has two tiles: one element a row, and the same spread over the columns.
  void* spread(std::uint16_t n) { return tiles_[kernel_.code.size() + n].bytes; }
  void* total(std::size_t reduction) { return tiles_[2 * kernel_.code.size() + reduction].bytes; }
  void* full(std::uint16_t n) { return kernel_.code[n].full ? tiles_[n].bytes : spread(n); }
  std::byte* at(std::uint64_t operand, std::int64_t row) {
    return static_cast<std::byte*>(call_.pointers[operand]) + (first_ + row) * call_.row_strides[operand];
  }

  void compute(std::uint16_t n, std::size_t count, bool is_full) {
    const Instruction& s = kernel_.code[n].scalar;
    const auto operand = [&](std::uint16_t use) { return is_full ? full(use) : tiles_[use].bytes; };
    const int uses = arity(s.op);
    tile::run(s, uses ? type_of(s.a) : s.type, count, tiles_[n].bytes, uses > 0 ? operand(s.a) : nullptr,
              uses > 1 ? operand(s.b) : nullptr, uses > 2 ? operand(s.c) : nullptr);
  }

  void spread_rows(std::uint16_t n, const std::byte* values, std::int64_t width, void* to) {
    const auto size = static_cast<std::int64_t>(size_of(type_of(n)));
    for (std::int64_t r = 0; r < rows_; ++r)
      tile::fill(type_of(n), static_cast<std::size_t>(width), static_cast<std::byte*>(to) + r * width * size,
                 values + r * size);
  }

  void row_code(const KernelPass& pass) {
    for (std::uint16_t n : pass.row) {
      const KernelInstruction& i = kernel_.code[n];
      if (i.scalar.op == ScalarOp::constant) continue;
      row_input_or_compute(n, tiles_[n].bytes);
      spread_rows(n, tiles_[n].bytes, std::min(cols_, tile_columns), spread(n));
    }
  }

  void row_input_or_compute(std::uint16_t n, std::byte* out) {
    const KernelInstruction& i = kernel_.code[n];
    const auto rows = static_cast<std::size_t>(rows_);
    if (i.scalar.op != ScalarOp::input)
      compute(n, rows, false);
    else if (i.reduced >= 0)
      std::copy_n(static_cast<std::byte*>(total(static_cast<std::size_t>(i.reduced))), rows * size_of(i.scalar.type),
                  out);
    else
      tile::load(kernel_.operands[i.scalar.imm].dtype, rows, out, at(i.scalar.imm, 0), call_.row_strides[i.scalar.imm]);
  }

  void columns(const KernelPass& pass) {
    for (std::uint16_t n : pass.reductions) start_row_reduction(n);
    for (std::int64_t c = 0; c < cols_; c += tile_columns) {
      const std::int64_t width = std::min(tile_columns, cols_ - c);
      for (std::uint16_t n : pass.fetched)
        if (!whole_)
          tile::load(type_of(n), static_cast<std::size_t>(width), tiles_[n].bytes, row_buffer(n, c),
                     static_cast<std::int64_t>(size_of(type_of(n))));
      for (std::uint16_t n : pass.full) full_value(n, c, width);
      for (std::uint16_t n : pass.reductions) reduce(n, c, width);
      for (std::uint16_t n : pass.saved)
        if (!whole_)
          tile::store(type_of(n), static_cast<std::size_t>(width), full(n), row_buffer(n, c),
                      static_cast<std::int64_t>(size_of(type_of(n))));
      for (std::uint16_t n : pass.stores) store(kernel_.stores[n], c, width);
    }
    for (std::uint16_t n : pass.reductions) finish_row_reduction(n);
  }

  std::byte* row_buffer(std::uint16_t n, std::int64_t column) {
    std::size_t offset = 0;
    for (std::uint16_t k = 0; k < n; ++k)
      if (kernel_.code[k].kept) offset += kept_bytes(type_of(k), cols_);
    return static_cast<std::byte*>(call_.scratch) + offset + static_cast<std::size_t>(column) * size_of(type_of(n));
  }

  void full_value(std::uint16_t n, std::int64_t c, std::int64_t width) {
    if (whole_ && done_[n]) return;
    done_[n] = true;
    const KernelInstruction& i = kernel_.code[n];
    if (i.scalar.op == ScalarOp::constant) return;
    if (i.scalar.op != ScalarOp::input) return compute(n, static_cast<std::size_t>(rows_ * width), true);
    const bool same = i.reduced >= 0 || kernel_.operands[i.scalar.imm].step == ColumnStep::fixed;
    if (same) {
      row_input_or_compute(n, static_cast<std::byte*>(spread(n)));
      return spread_rows(n, static_cast<std::byte*>(spread(n)), width, tiles_[n].bytes);
    }
    const KernelOperand& o = kernel_.operands[i.scalar.imm];
    if (o.step == ColumnStep::repeated) return load_repeated(n, c, width);
    for (std::int64_t r = 0; r < rows_; ++r)
      tile::load(o.dtype, static_cast<std::size_t>(width),
                 tiles_[n].bytes + static_cast<std::size_t>(r * width) * size_of(type_of(n)),
                 at(i.scalar.imm, r) + c * column_stride(i.scalar.imm), column_stride(i.scalar.imm));
  }

  void load_repeated(std::uint16_t n, std::int64_t first, std::int64_t width) {
    const std::uint64_t operand = kernel_.code[n].scalar.imm;
    const std::int64_t repeat = call_.repeats[operand], end = first + width;
    for (std::int64_t r = 0; r < rows_; ++r)
      for (std::int64_t c = first, next; c < end; c = next) {
        next = std::min(end, (c / repeat + 1) * repeat);
        tile::load(kernel_.operands[operand].dtype, static_cast<std::size_t>(next - c),
                   tiles_[n].bytes + static_cast<std::size_t>(r * width + c - first) * size_of(type_of(n)),
                   at(operand, r) + c / repeat * call_.col_strides[operand], 0);
      }
  }

  std::int64_t column_stride(std::uint64_t operand) const {
    const KernelOperand& o = kernel_.operands[operand];
    return o.step == ColumnStep::strided ? call_.col_strides[operand] : static_cast<std::int64_t>(size_of(o.dtype));
  }

  void store(const KernelStore& s, std::int64_t c, std::int64_t width) {
    const std::int64_t stride = column_stride(s.operand);
    for (std::int64_t r = 0; r < rows_; ++r)
      tile::store(kernel_.operands[s.operand].dtype, static_cast<std::size_t>(width), row_of(s.value, r, width),
                  at(s.operand, r) + c * stride, stride);
  }

  const std::byte* row_of(std::uint16_t value, std::int64_t r, std::int64_t width) {
    return static_cast<std::byte*>(full(value)) + static_cast<std::size_t>(r * width) * size_of(type_of(value));
  }

  void start_row_reduction(std::uint16_t n) {
    const KernelReduction& r = kernel_.reductions[n];
    if (r.column) return;
    tile::clear(r.op, r.dtype, static_cast<std::size_t>(rows_), total(n));
    clear_partials(n);
  }

  void clear_partials(std::uint16_t n) {
    partials_.resize(kernel_.reductions.size());
    tile::clear(kernel_.reductions[n].op, kernel_.reductions[n].dtype, row_partials, partials_[n].bytes);
  }

  void reduce(std::uint16_t n, std::int64_t c, std::int64_t width) {
    const KernelReduction& r = kernel_.reductions[n];
    for (std::int64_t row = 0; row < rows_; ++row) {
      const std::byte* values = row_of(r.value, row, width);
      if (r.column) {
        std::byte* accumulators = static_cast<std::byte*>(call_.pointers[r.operand]);
        tile::combine(r.op, r.dtype, static_cast<std::size_t>(width),
                      accumulators + static_cast<std::size_t>(c) * size_of(r.dtype), values);
        continue;
      }
      tile::accumulate(r.op, r.dtype, static_cast<std::size_t>(width), partials_[n].bytes, values);
      if (whole_ || (c + width) % row_block == 0) end_block(n, row);
    }
  }

  void end_block(std::uint16_t n, std::int64_t row) {
    const KernelReduction& r = kernel_.reductions[n];
    tile::tree(r.op, r.dtype, partials_[n].bytes);
    tile::combine(r.op, r.dtype, 1,
                  static_cast<std::byte*>(total(n)) + static_cast<std::size_t>(row) * size_of(r.dtype),
                  partials_[n].bytes);
    clear_partials(n);
  }

  void finish_row_reduction(std::uint16_t n) {
    if (!kernel_.reductions[n].column && !whole_ && cols_ % row_block != 0) end_block(n, 0);
  }

  void store_row_values() {
    for (const KernelStore& s : kernel_.stores)
      if (!kernel_.code[s.value].full)
        tile::store(kernel_.operands[s.operand].dtype, static_cast<std::size_t>(rows_), tiles_[s.value].bytes,
                    at(s.operand, 0), call_.row_strides[s.operand]);
  }

  struct alignas(64) Partials {
    std::byte bytes[row_partials * 8];
  };

  const Kernel& kernel_;
  const KernelCall& call_;
  const std::int64_t cols_;
  const bool whole_;
  const std::int64_t batch_;  // rows of a batch
  const std::vector<KernelPass> passes_;
  Tile* const tiles_;
  std::vector<Partials> partials_;
  std::vector<bool> done_;
  std::int64_t first_ = 0, rows_ = 0;
};

}  // namespace

void interpret(const Kernel& kernel, const KernelCall& call) {
  if (kernel.interleaved)
    interpret_interleaved(kernel, call);
  else
    Interpreter(kernel, call).run();
}

}  // namespace weft
