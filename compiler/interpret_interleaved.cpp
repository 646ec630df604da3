#include "interpret_interleaved.h"

#include <algorithm>
#include <vector>

#include "../ops/kernels/tile_ops.h"
#include "row_passes.h"

namespace weft {
namespace {

// Up to most_lanes rows at a time, column after column: a tile holds an element of each.
class Interpreter {
 public:
  Interpreter(const Kernel& kernel, const KernelCall& call)
      : kernel_(kernel),
        call_(call),
        passes_(passes_of(kernel)),
        tiles_(kernel.code.size()),
        partials_(kernel.reductions.size()),
        totals_(kernel.reductions.size()) {}

  void run() {
    for (std::uint16_t n = 0; n < kernel_.code.size(); ++n)
      if (kernel_.code[n].scalar.op == ScalarOp::constant)
        tile::fill(type_of(n), most_lanes, tiles_[n].bytes, &kernel_.code[n].scalar.imm);
    for (row_ = 0; row_ < call_.rows; ++row_)
      for (lane_ = 0; lane_ < call_.interleave; lane_ += most_lanes) {
        lanes_ = static_cast<std::size_t>(std::min(most_lanes, call_.interleave - lane_));
        for (const KernelPass& pass : passes_) {
          for (const std::uint16_t n : pass.row) value(n, 0);
          if (pass.over_columns()) columns(pass);
        }
        for (const KernelStore& s : kernel_.stores)
          if (!kernel_.code[s.value].full) store(s, 0);
      }
  }

 private:
  struct alignas(64) Tile {
    std::byte bytes[most_lanes * 8];
  };

  DType type_of(std::uint16_t n) const { return value_type(kernel_.code[n]); }

  std::int64_t stride(std::uint64_t operand) const { return lane_stride(kernel_.operands[operand]); }
  std::byte* at(std::uint64_t operand, std::int64_t column) {
    return static_cast<std::byte*>(call_.pointers[operand]) + row_ * call_.row_strides[operand] +
           column * call_.col_strides[operand] + lane_ * stride(operand);
  }

  void value(std::uint16_t n, std::int64_t column) {
    const KernelInstruction& i = kernel_.code[n];
    const Instruction& s = i.scalar;
    if (s.op == ScalarOp::constant) return;
    if (i.reduced >= 0) {
      const auto& total = totals_[static_cast<std::size_t>(i.reduced)].bytes;
      std::copy_n(total, lanes_ * size_of(type_of(n)), tiles_[n].bytes);
    } else if (s.op == ScalarOp::input) {
      tile::load(kernel_.operands[s.imm].dtype, lanes_, tiles_[n].bytes, at(s.imm, i.full ? column : 0), stride(s.imm));
    } else {
      const int uses = arity(s.op);
      tile::run(s, uses ? type_of(s.a) : s.type, lanes_, tiles_[n].bytes, tiles_[s.a].bytes,
                uses > 1 ? tiles_[s.b].bytes : nullptr, uses > 2 ? tiles_[s.c].bytes : nullptr);
    }
  }

  void columns(const KernelPass& pass) {
    const auto each_reduction = [&](auto&& visit) {
      for (const std::uint16_t n : pass.reductions) visit(kernel_.reductions[n], partials_[n].bytes, totals_[n].bytes);
    };
    const auto clear = [&](const KernelReduction& r, void* to) { tile::clear(r.op, r.dtype, lanes_, to); };
    each_reduction([&](const KernelReduction& r, void* partial, void* total) { clear(r, partial), clear(r, total); });
    for (std::int64_t c = 0; c < call_.cols; ++c) {
      for (const std::uint16_t n : pass.fetched)
        tile::load(type_of(n), lanes_, tiles_[n].bytes, buffer(n, c), static_cast<std::int64_t>(size_of(type_of(n))));
      for (const std::uint16_t n : pass.full) value(n, c);
      each_reduction([&](const KernelReduction& r, void* partial, void* total) {
        tile::combine(r.op, r.dtype, lanes_, partial, tiles_[r.value].bytes);
        if ((c + 1) % column_block != 0 && c + 1 != call_.cols) return;
        tile::combine(r.op, r.dtype, lanes_, total, partial);
        clear(r, partial);
      });
      for (const std::uint16_t n : pass.saved)
        tile::store(type_of(n), lanes_, tiles_[n].bytes, buffer(n, c), static_cast<std::int64_t>(size_of(type_of(n))));
      for (const std::uint16_t n : pass.stores) store(kernel_.stores[n], c);
    }
  }

  std::byte* buffer(std::uint16_t n, std::int64_t column) {
    std::size_t offset = 0;
    for (std::uint16_t k = 0; k < n; ++k)
      if (kernel_.code[k].kept) offset += kept_bytes(type_of(k), call_.cols * most_lanes);
    return static_cast<std::byte*>(call_.scratch) + offset +
           static_cast<std::size_t>(column * most_lanes) * size_of(type_of(n));
  }

  void store(const KernelStore& s, std::int64_t column) {
    tile::store(kernel_.operands[s.operand].dtype, lanes_, tiles_[s.value].bytes,
                at(s.operand, kernel_.code[s.value].full ? column : 0), stride(s.operand));
  }

  const Kernel& kernel_;
  const KernelCall& call_;
  const std::vector<KernelPass> passes_;
  std::vector<Tile> tiles_, partials_, totals_;
  std::int64_t row_ = 0, lane_ = 0;
  std::size_t lanes_ = 0;
};

}  // namespace

void interpret_interleaved(const Kernel& kernel, const KernelCall& call) { Interpreter(kernel, call).run(); }

}  // namespace weft
