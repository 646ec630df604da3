// The part of a kernel's function that does not depend on how the columns are walked: the arguments, the loop over the
// rows, the row values.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "../row_passes.h"
#include "emit.h"

namespace weft::jit {

/// What a KernelCall gives, loaded.
struct KernelArguments {
  KernelArguments() = default;
  KernelArguments(const Kernel& kernel, Builder& b, llvm::Function* function);

  llvm::Value *rows, *cols, *scratch, *interleave;
  std::vector<llvm::Value*> first_row, row_stride, col_stride, repeat;  // by operand
};

/// A row buffer's bytes, as kept_bytes() says.
llvm::Value* kept_bytes_of(Builder& b, DType t, llvm::Value* elements);

class RowEmitter : protected KernelArguments {
 public:
  RowEmitter(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa);
  virtual ~RowEmitter() = default;
  llvm::Function* run();

 protected:
  virtual void before_rows() = 0;
  /// How many rows go through a pass together, known when the kernel runs. Null: each goes through all by itself.
  virtual llvm::Value* rows_at_once() { return nullptr; }
  virtual void columns(const KernelPass& pass) = 0;
  virtual void after_row(llvm::BasicBlock* latch) = 0;  // the last block of the row loop: for its phis
  virtual void after_rows() = 0;

  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(b.getContext(), name, function); }
  /// A stack buffer of 64-byte alignment. Zero at entry where ragged copies leave some of it alone.
  llvm::Value* buffer(std::int64_t bytes);

  DType type_of(std::uint16_t n) const { return value_type(kernel.code[n]); }
  DType source_of(std::uint16_t n) const { return type_of(kernel.code[n].scalar.a); }
  bool loads_columns(std::uint16_t n) const;
  bool is_repeated(std::size_t operand) const { return kernel.operands[operand].step == ColumnStep::repeated; }
  /// The value of instruction n from its operands' values.
  llvm::Value* compute(std::uint16_t n, const std::function<llvm::Value*(std::uint16_t)>& operand);
  /// The combined value of a row reduction becomes known.
  void set_total(std::uint16_t reduction, llvm::Value* accumulator);

  const Kernel& kernel;
  const std::vector<KernelPass> passes;
  Builder b;
  llvm::Function* function;

  std::vector<llvm::Value*> pointer;   // by operand: at this row
  std::vector<llvm::Value*> splat;     // by instruction: full values that the columns share
  std::vector<llvm::Value*> kept;      // by instruction: its row buffer
  llvm::Value* scratch_row = nullptr;  // bytes of the row buffers of a row
  llvm::Value* next_group = nullptr;   // rows from one of a group to one of the next, if > 1
  llvm::BasicBlock* row_block = nullptr;
  llvm::BasicBlock* before_row_loop = nullptr;

 private:
  void single_rows(llvm::BasicBlock* done);
  void row_groups(llvm::Value* most, llvm::BasicBlock* done);
  void row_code(const KernelPass& pass);
  void store_row_values();
  llvm::Value* row_value(std::uint16_t n);

  std::vector<llvm::Value*> row_;     // by instruction
  std::vector<llvm::Value*> totals_;  // by reduction
};

/// A kernel for any number of columns: emit_long.cpp. For an exact small one: emit_small.cpp. (For rows that lie
/// interleaved: emit_interleaved.cpp.)
std::unique_ptr<RowEmitter> long_rows(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa);
std::unique_ptr<RowEmitter> small_rows(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa);
llvm::Function* interleaved_rows(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa);

}  // namespace weft::jit
