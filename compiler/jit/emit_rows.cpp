#include "emit_rows.h"

#include <algorithm>
#include <cstddef>

namespace weft::jit {

using llvm::BasicBlock;
using llvm::Value;

RowEmitter::RowEmitter(const Kernel& k, const std::string& name, llvm::Module& module, Isa isa)
    : kernel(k), passes(passes_of(k)), b(module.getContext(), isa) {
  auto* type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false);
  function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  if (isa == Isa::avx512) function->addFnAttr("prefer-vector-width", "512");
  splat.resize(kernel.code.size());
  row_.resize(kernel.code.size());
  totals_.resize(kernel.reductions.size());
}

llvm::Function* RowEmitter::run() {
  b.SetInsertPoint(block("entry"));
  static_cast<KernelArguments&>(*this) = KernelArguments(kernel, b, function);
  pointer.resize(kernel.operands.size());
  before_rows();
  Value* most = rows_at_once();
  before_row_loop = b.GetInsertBlock();
  row_block = block("row");
  BasicBlock* done = block("done");
  b.CreateCondBr(b.CreateICmpSGT(rows, b.getInt64(0)), row_block, done);
  b.SetInsertPoint(row_block);
  if (most)
    row_groups(most, done);
  else
    single_rows(done);
  b.SetInsertPoint(done);
  after_rows();
  b.CreateRetVoid();
  return function;
}

void RowEmitter::single_rows(BasicBlock* done) {
  llvm::PHINode* row = b.CreatePHI(b.getInt64Ty(), 2, "row");
  row->addIncoming(b.getInt64(0), before_row_loop);
  std::vector<llvm::PHINode*> moving(kernel.operands.size());
  for (std::size_t i = 0; i < moving.size(); ++i) {
    moving[i] = b.CreatePHI(b.getPtrTy(), 2);
    moving[i]->addIncoming(first_row[i], before_row_loop);
    pointer[i] = moving[i];
  }
  for (const KernelPass& pass : passes) {
    row_code(pass);
    if (pass.over_columns()) columns(pass);
  }
  store_row_values();
  Value* next = b.CreateAdd(row, b.getInt64(1));
  row->addIncoming(next, b.GetInsertBlock());
  for (std::size_t i = 0; i < moving.size(); ++i)
    moving[i]->addIncoming(b.byte_offset(pointer[i], row_stride[i]), b.GetInsertBlock());
  after_row(b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpSLT(next, rows), row_block, done);
}

// Each pass takes all rows of a group before the next one does: while a row's reduction comes to its end, a chain of
// some forty cycles, another row's columns are computed. What a pass knows from earlier ones are the row's totals, in
// memory; the row values are computed from them anew, and what nobody reads of that is dead code.
void RowEmitter::row_groups(Value* most, BasicBlock* done) {
  llvm::PHINode* first = b.CreatePHI(b.getInt64Ty(), 2, "first");
  first->addIncoming(b.getInt64(0), before_row_loop);
  Value* left = b.CreateSub(rows, first);
  Value* count = b.CreateSelect(b.CreateICmpSLT(left, most), left, most);
  next_group = b.CreateSelect(b.CreateICmpSGT(most, b.getInt64(1)), count, b.getInt64(0));
  std::vector<Value*> memory(kernel.reductions.size());
  const std::vector<Value*> kept_first = kept;
  std::vector<std::uint16_t> known;
  for (const KernelPass& pass : passes) {
    BasicBlock *from = b.GetInsertBlock(), *body = block("pass"), *after = block("pass.done");
    b.CreateBr(body);
    b.SetInsertPoint(body);
    llvm::PHINode* number = b.CreatePHI(b.getInt64Ty(), 2, "number");
    number->addIncoming(b.getInt64(0), from);
    Value* row = b.CreateAdd(first, number);
    for (std::size_t i = 0; i < pointer.size(); ++i)
      pointer[i] = b.byte_offset(first_row[i], b.CreateMul(row, row_stride[i]));
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (kept[i]) kept[i] = b.byte_offset(kept_first[i], b.CreateMul(number, scratch_row));
    const auto total_at = [&](std::uint16_t n) { return b.byte_offset(memory[n], b.bytes_of(number, DType::i64)); };
    for (std::uint16_t n : known) totals_[n] = b.CreateAlignedLoad(totals_[n]->getType(), total_at(n), llvm::Align(8));
    std::ranges::fill(splat, nullptr);
    for (const KernelPass* p = passes.data(); p <= &pass; ++p) row_code(*p);
    if (pass.over_columns()) columns(pass);
    for (std::uint16_t n : pass.reductions) {
      if (kernel.reductions[n].column) continue;
      memory[n] = buffer(8 * most_rows_at_once);
      b.CreateAlignedStore(totals_[n], total_at(n), llvm::Align(8));
      known.push_back(n);
    }
    if (&pass == &passes.back()) store_row_values();
    Value* next = b.CreateAdd(number, b.getInt64(1));
    number->addIncoming(next, b.GetInsertBlock());
    b.CreateCondBr(b.CreateICmpSLT(next, count), body, after);
    b.SetInsertPoint(after);
  }
  Value* next = b.CreateAdd(first, count);
  first->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpSLT(next, rows), row_block, done);
}

KernelArguments::KernelArguments(const Kernel& kernel, Builder& b, llvm::Function* function) {
  const auto field = [&](llvm::Type* type, std::size_t offset) {
    Value* at = b.byte_offset(function->getArg(0), static_cast<std::int64_t>(offset));
    return b.CreateAlignedLoad(type, at, llvm::Align(8));
  };
  const auto element = [&](llvm::Type* type, Value* array, std::size_t i) {
    return b.CreateAlignedLoad(type, b.byte_offset(array, static_cast<std::int64_t>(8 * i)), llvm::Align(8));
  };
  Value* pointers = field(b.getPtrTy(), offsetof(KernelCall, pointers));
  Value* row_strides = field(b.getPtrTy(), offsetof(KernelCall, row_strides));
  Value* col_strides = field(b.getPtrTy(), offsetof(KernelCall, col_strides));
  Value* repeats = field(b.getPtrTy(), offsetof(KernelCall, repeats));
  rows = field(b.getInt64Ty(), offsetof(KernelCall, rows));
  cols = kernel.small_cols ? static_cast<Value*>(b.getInt64(static_cast<std::uint64_t>(kernel.small_cols)))
                           : field(b.getInt64Ty(), offsetof(KernelCall, cols));
  scratch = field(b.getPtrTy(), offsetof(KernelCall, scratch));
  interleave = field(b.getInt64Ty(), offsetof(KernelCall, interleave));
  const std::size_t count = kernel.operands.size();
  col_stride.resize(count), repeat.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const ColumnStep step = kernel.operands[i].step;
    first_row.push_back(element(b.getPtrTy(), pointers, i));
    row_stride.push_back(element(b.getInt64Ty(), row_strides, i));
    if (kernel.interleaved || step == ColumnStep::strided || step == ColumnStep::repeated)
      col_stride[i] = element(b.getInt64Ty(), col_strides, i);
    if (step == ColumnStep::repeated) repeat[i] = element(b.getInt64Ty(), repeats, i);
  }
  for (const KernelReduction& r : kernel.reductions)
    if (r.column) row_stride[r.operand] = b.getInt64(0);  // the accumulators are one row
}

Value* kept_bytes_of(Builder& b, DType t, Value* elements) {
  Value* bytes = b.CreateAdd(b.bytes_of(b.CreateAdd(elements, b.getInt64(2 * lanes)), t), b.getInt64(63));
  return b.CreateAnd(bytes, b.getInt64(~std::uint64_t{63}));
}

Value* RowEmitter::buffer(std::int64_t bytes) {
  llvm::IRBuilder<> entry(&function->getEntryBlock(), function->getEntryBlock().begin());
  auto* a = entry.CreateAlloca(entry.getInt8Ty(), entry.getInt64(static_cast<std::uint64_t>(bytes)));
  a->setAlignment(llvm::Align(64));
  if (b.isa != Isa::avx512) entry.CreateMemSet(a, entry.getInt8(0), static_cast<std::uint64_t>(bytes), llvm::Align(64));
  return a;
}

bool RowEmitter::loads_columns(std::uint16_t n) const {
  const KernelInstruction& i = kernel.code[n];
  return i.scalar.op == ScalarOp::input && i.reduced < 0 && kernel.operands[i.scalar.imm].step != ColumnStep::fixed;
}

Value* RowEmitter::compute(std::uint16_t n, const std::function<Value*(std::uint16_t)>& operand) {
  const Instruction& s = kernel.code[n].scalar;
  const std::uint16_t uses[] = {s.a, s.b, s.c};
  Value* v[3] = {};
  for (int k = 0; k < arity(s.op); ++k) v[k] = operand(uses[k]);
  return emit_scalar(b, s, arity(s.op) ? source_of(n) : s.type, v[0], v[1], v[2]);
}

void RowEmitter::set_total(std::uint16_t reduction, Value* accumulator) {
  totals_[reduction] = from_accumulator(b, kernel.reductions[reduction].dtype, accumulator);
}

// A row value, or what a full instruction that is the same for all columns reads.
Value* RowEmitter::row_value(std::uint16_t n) {
  const KernelInstruction& i = kernel.code[n];
  if (i.scalar.op == ScalarOp::constant) return emit_constant(b, i.scalar.type, i.scalar.imm, false);
  if (i.scalar.op != ScalarOp::input) return compute(n, [&](std::uint16_t use) { return row_[use]; });
  if (i.reduced >= 0) return totals_[static_cast<std::size_t>(i.reduced)];
  const DType stored = kernel.operands[i.scalar.imm].dtype;
  return decode(b, stored, load_one(b, stored, pointer[i.scalar.imm]));
}

void RowEmitter::row_code(const KernelPass& pass) {
  for (std::uint16_t n : pass.row) {
    row_[n] = row_value(n);
    if (kernel.code[n].scalar.op == ScalarOp::constant)
      splat[n] = emit_constant(b, kernel.code[n].scalar.type, kernel.code[n].scalar.imm, true);
    else
      splat[n] = b.splat(row_[n]);  // dead code where no full instruction reads it
  }
  for (std::uint16_t n : pass.full) {
    const ScalarOp op = kernel.code[n].scalar.op;
    if (splat[n] || loads_columns(n)) continue;
    if (op == ScalarOp::constant)
      splat[n] = emit_constant(b, kernel.code[n].scalar.type, kernel.code[n].scalar.imm, true);
    if (op == ScalarOp::input) splat[n] = b.splat(row_value(n));
  }
}

void RowEmitter::store_row_values() {
  for (const KernelStore& s : kernel.stores) {
    if (kernel.code[s.value].full) continue;
    const DType t = kernel.operands[s.operand].dtype;
    store_one(b, t, encode(b, t, row_[s.value]), pointer[s.operand]);
  }
}

llvm::Function* emit_kernel(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa) {
  if (kernel.interleaved) return interleaved_rows(kernel, name, module, isa);
  return (kernel.small_cols > 0 ? small_rows : long_rows)(kernel, name, module, isa)->run();
}

}  // namespace weft::jit
