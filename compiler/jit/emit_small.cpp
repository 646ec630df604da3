// Rows of a known length, at most 64: no loop over the columns, every value of a row stays in registers, and so do the
// accumulators of column reductions.
#include "emit_rows.h"

namespace weft::jit {
namespace {

using llvm::BasicBlock;
using llvm::PHINode;
using llvm::Value;

class SmallRows final : public RowEmitter {
 public:
  SmallRows(const Kernel& k, const std::string& name, llvm::Module& module, Isa isa)
      : RowEmitter(k, name, module, isa),
        vectors_((static_cast<unsigned>(k.small_cols) + lanes - 1) / lanes),
        value_(vectors_, std::vector<Value*>(k.code.size())),
        columns_(k.reductions.size()) {}

 private:
  void before_rows() override {}
  void columns(const KernelPass& pass) override;
  void after_row(BasicBlock* latch) override;
  void after_rows() override;

  unsigned lanes_of(unsigned v) const { return std::min(lanes, static_cast<unsigned>(kernel.small_cols) - v * lanes); }
  Value* full_value(std::uint16_t n, unsigned v) const { return splat[n] ? splat[n] : value_[v][n]; }
  Value* load(std::uint16_t operand, unsigned v);
  void store(std::uint16_t operand, unsigned v, Value* stored);
  Value* address(std::uint16_t operand, unsigned v, Value* row);
  void reduce_row(std::uint16_t n);

  // One accumulator of a column reduction: what it is at the top of a row, and after it.
  struct Column {
    PHINode* top;
    Value* bottom;
  };
  unsigned vectors_;
  BasicBlock* latch_ = nullptr;
  std::vector<std::vector<Value*>> value_;    // [vector][instruction]; the passes of a row share them
  std::vector<std::vector<Column>> columns_;  // [reduction][vector]
};

Value* SmallRows::address(std::uint16_t operand, unsigned v, Value* row) {
  if (kernel.operands[operand].step == ColumnStep::strided)
    return b.byte_offset(row, b.CreateMul(col_stride[operand], b.getInt64(v * lanes)));
  return b.byte_offset(row, static_cast<std::int64_t>(v * lanes * size_of(kernel.operands[operand].dtype)));
}

Value* SmallRows::load(std::uint16_t operand, unsigned v) {
  const KernelOperand& o = kernel.operands[operand];
  Value* at = address(operand, v, pointer[operand]);
  return o.step == ColumnStep::strided ? load_strided(b, o.dtype, at, col_stride[operand], lanes_of(v))
                                       : load_first(b, o.dtype, at, lanes_of(v));
}

void SmallRows::store(std::uint16_t operand, unsigned v, Value* stored) {
  const KernelOperand& o = kernel.operands[operand];
  Value* at = address(operand, v, pointer[operand]);
  if (o.step == ColumnStep::strided)
    store_strided(b, o.dtype, stored, at, col_stride[operand], lanes_of(v));
  else
    store_first(b, o.dtype, stored, at, lanes_of(v));
}

// One block, so that the total is the block: combining the identity with it changes no bit.
void SmallRows::reduce_row(std::uint16_t n) {
  const KernelReduction& r = kernel.reductions[n];
  Partials p = initial_partials(b, r.op, r.dtype);
  std::vector<Value*> whole;
  for (unsigned v = 0; v < vectors_; ++v)
    if (lanes_of(v) == lanes) whole.push_back(full_value(r.value, v));
  p = accumulate(b, r.op, r.dtype, p, whole);
  if (whole.size() < vectors_) {
    const auto last = static_cast<unsigned>(whole.size());
    Value* mask = lane_mask(b, r.dtype, b.getInt64(lanes_of(last)));
    p = accumulate_where(b, r.op, r.dtype, p, mask, full_value(r.value, last));
  }
  set_total(n, tree(b, r.op, r.dtype, p));
}

void SmallRows::columns(const KernelPass& pass) {
  for (unsigned v = 0; v < vectors_; ++v) {
    for (std::uint16_t n : pass.full) {
      Value*& value = value_[v][n];
      if (splat[n] || value) continue;  // an earlier pass has computed it
      const Instruction& s = kernel.code[n].scalar;
      if (loads_columns(n))
        value = decode(b, kernel.operands[s.imm].dtype, load(static_cast<std::uint16_t>(s.imm), v));
      else
        value = compute(n, [&](std::uint16_t use) { return full_value(use, v); });
    }
  }
  for (std::uint16_t n : pass.reductions) {
    const KernelReduction& r = kernel.reductions[n];
    if (!r.column) {
      reduce_row(n);
      continue;
    }
    for (unsigned v = 0; v < vectors_; ++v) {
      Value* start = identity(b, r.op, r.dtype, true);
      auto* top = PHINode::Create(start->getType(), 2, "", row_block->begin());
      top->addIncoming(start, before_row_loop);
      columns_[n].push_back({top, combine(b, r.op, r.dtype, top, to_accumulator(b, r.dtype, full_value(r.value, v)))});
    }
  }
  for (std::uint16_t n : pass.stores) {
    const KernelStore& s = kernel.stores[n];
    for (unsigned v = 0; v < vectors_; ++v)
      store(s.operand, v, encode(b, kernel.operands[s.operand].dtype, full_value(s.value, v)));
  }
}

void SmallRows::after_row(BasicBlock* latch) {
  latch_ = latch;
  for (auto& reduction : columns_)
    for (Column& c : reduction) c.top->addIncoming(c.bottom, latch);
}

void SmallRows::after_rows() {
  // All phis first: they stand at the head of their block.
  std::vector<std::vector<Value*>> result(columns_.size());
  for (std::size_t n = 0; n < columns_.size(); ++n)
    for (Column& c : columns_[n]) {
      PHINode* end = b.CreatePHI(c.top->getType(), 2);
      end->addIncoming(c.top->getIncomingValueForBlock(before_row_loop), before_row_loop);
      end->addIncoming(c.bottom, latch_);
      result[n].push_back(end);
    }
  for (std::size_t n = 0; n < columns_.size(); ++n)
    for (unsigned v = 0; v < result[n].size(); ++v) {
      const KernelReduction& r = kernel.reductions[n];
      store_first(b, r.dtype, result[n][v], address(r.operand, v, first_row[r.operand]), lanes_of(v));
    }
}

}  // namespace

std::unique_ptr<RowEmitter> small_rows(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa) {
  return std::make_unique<SmallRows>(kernel, name, module, isa);
}

}  // namespace weft::jit
