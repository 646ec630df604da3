// Rows that lie interleaved: 16 of them are the lanes of a vector, a row value is one of each. Some vectors next to
// each other go through all passes together, from one column to the next; what is left of the rows at the end, 16 at a
// time, the last of them up to the very end: some rows are computed twice.
#include <cstddef>
#include <functional>

#include "../row_passes.h"
#include "emit_rows.h"

namespace weft::jit {
namespace {

using llvm::Value;
using Values = std::vector<Value*>;

constexpr unsigned most_vectors = most_lanes / lanes;
constexpr std::size_t several_up_to = 40;  // instructions of a pass: more of them want the registers

class InterleavedRows {
 public:
  InterleavedRows(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa)
      : kernel_(kernel), passes_(passes_of(kernel)), b_(module.getContext(), isa) {
    auto* type = llvm::FunctionType::get(b_.getVoidTy(), {b_.getPtrTy()}, false);
    function_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
    function_->addFnAttr(llvm::Attribute::NoUnwind);
    if (isa == Isa::avx512) function_->addFnAttr("prefer-vector-width", "512");
  }

  llvm::Function* run() {
    b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", function_));
    arguments_ = KernelArguments(kernel_, b_, function_);
    place_kept();
    Value* const zero = b_.getInt64(0);
    const bool several =
        std::ranges::all_of(passes_, [](const KernelPass& p) { return p.full.size() <= several_up_to; });
    loop(zero, arguments_.rows, 1, {}, [&](Value* row, const Values&) {
      pointer_.clear();
      for (std::size_t i = 0; i < kernel_.operands.size(); ++i)
        pointer_.push_back(b_.byte_offset(arguments_.first_row[i], b_.CreateMul(row, arguments_.row_stride[i])));
      Value* const all = arguments_.interleave;
      Value* const whole = several ? b_.CreateAnd(all, b_.getInt64(~std::uint64_t{most_lanes - 1})) : zero;
      if (several)
        loop(zero, whole, most_lanes, {}, [&](Value* lane, const Values&) { return rows_at(lane, most_vectors); });
      Value* const last = b_.CreateSub(all, b_.getInt64(lanes));
      loop(whole, all, lanes, {}, [&](Value* lane, const Values&) {
        return rows_at(b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, lane, last), 1);
      });
      return Values();
    });
    b_.CreateRetVoid();
    return function_;
  }

 private:
  // for (i = begin; i < end; i += step): what `carried` is after it. `body` says what it is after a round.
  Values loop(Value* begin, Value* end, std::uint64_t step, const Values& carried,
              const std::function<Values(Value* i, const Values& carried)>& body) {
    llvm::BasicBlock* const before = b_.GetInsertBlock();
    auto* const round = llvm::BasicBlock::Create(b_.getContext(), "loop", function_);
    auto* const done = llvm::BasicBlock::Create(b_.getContext(), "done", function_);
    b_.CreateCondBr(b_.CreateICmpSLT(begin, end), round, done);
    b_.SetInsertPoint(round);
    llvm::PHINode* const i = b_.CreatePHI(b_.getInt64Ty(), 2);
    i->addIncoming(begin, before);
    std::vector<llvm::PHINode*> phis;
    for (Value* const v : carried) {
      phis.push_back(b_.CreatePHI(v->getType(), 2));
      phis.back()->addIncoming(v, before);
    }
    const Values after = body(i, Values(phis.begin(), phis.end()));
    Value* const next = b_.CreateAdd(i, b_.getInt64(step));
    llvm::BasicBlock* const latch = b_.GetInsertBlock();
    i->addIncoming(next, latch);
    for (std::size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(after[k], latch);
    b_.CreateCondBr(b_.CreateICmpSLT(next, end), round, done);
    b_.SetInsertPoint(done);
    Values results;
    for (std::size_t k = 0; k < carried.size(); ++k) {
      llvm::PHINode* const result = b_.CreatePHI(carried[k]->getType(), 2);
      result->addIncoming(carried[k], before);
      result->addIncoming(after[k], latch);
      results.push_back(result);
    }
    return results;
  }

  void place_kept() {
    kept_.resize(kernel_.code.size());
    Value* at = arguments_.scratch;
    Value* const elements = b_.CreateMul(arguments_.cols, b_.getInt64(most_lanes));
    for (std::uint16_t n = 0; n < kernel_.code.size(); ++n) {
      if (!kernel_.code[n].kept) continue;
      kept_[n] = at;
      at = b_.byte_offset(at, kept_bytes_of(b_, value_type(kernel_.code[n]), elements));
    }
  }

  // All passes of so many vectors of rows, from number `lane` on.
  Values rows_at(Value* lane, unsigned vectors) {
    at_lane_.clear();
    for (std::size_t i = 0; i < pointer_.size(); ++i) {
      const KernelOperand& o = kernel_.operands[i];
      at_lane_.push_back(o.step == ColumnStep::contiguous ? b_.byte_offset(pointer_[i], b_.bytes_of(lane, o.dtype))
                                                          : pointer_[i]);
    }
    value_.assign(vectors, Values(kernel_.code.size()));
    total_.assign(kernel_.reductions.size(), {});
    for (const KernelPass& pass : passes_) {
      for (const std::uint16_t n : pass.row) compute(n, nullptr);
      if (pass.over_columns()) columns(pass);
    }
    for (const KernelStore& s : kernel_.stores)
      if (!kernel_.code[s.value].full) store(s, nullptr);
    return {};
  }

  // Instruction n for each vector; `column`: null for row values.
  void compute(std::uint16_t n, Value* column) {
    const KernelInstruction& i = kernel_.code[n];
    const Instruction& s = i.scalar;
    for (unsigned u = 0; u < value_.size(); ++u) {
      Values& value = value_[u];
      if (s.op == ScalarOp::constant) {
        value[n] = emit_constant(b_, s.type, s.imm, true);
      } else if (i.reduced >= 0) {
        value[n] = total_[static_cast<std::size_t>(i.reduced)][u];
      } else if (s.op == ScalarOp::input) {
        const KernelOperand& o = kernel_.operands[s.imm];
        if (o.step == ColumnStep::contiguous)
          value[n] = decode(b_, o.dtype, load_full(b_, o.dtype, address(s.imm, u, i.full ? column : nullptr)));
        else if (u == 0)
          value[n] = decode(b_, o.dtype, b_.splat(load_one(b_, o.dtype, address(s.imm, 0, i.full ? column : nullptr))));
        else
          value[n] = value_[0][n];
      } else {
        const std::uint16_t uses[] = {s.a, s.b, s.c};
        Value* v[3] = {};
        for (int k = 0; k < arity(s.op); ++k) v[k] = value[uses[k]];
        value[n] = emit_scalar(b_, s, arity(s.op) ? value_type(kernel_.code[s.a]) : s.type, v[0], v[1], v[2]);
      }
    }
  }

  Value* address(std::size_t operand, unsigned u, Value* column) {
    const KernelOperand& o = kernel_.operands[operand];
    Value* at = at_lane_[operand];
    if (column) at = b_.byte_offset(at, b_.CreateMul(column, arguments_.col_stride[operand]));
    return b_.byte_offset(
        at, o.step == ColumnStep::contiguous ? static_cast<std::int64_t>(u * lanes * size_of(o.dtype)) : 0);
  }

  void store(const KernelStore& s, Value* column) {
    const DType t = kernel_.operands[s.operand].dtype;
    for (unsigned u = 0; u < value_.size(); ++u)
      store_full(b_, t, encode(b_, t, value_[u][s.value]), address(s.operand, u, column));
  }

  Value* kept_at(std::uint16_t n, unsigned u, Value* column) {
    const DType t = value_type(kernel_.code[n]);
    Value* const row = b_.byte_offset(kept_[n], b_.bytes_of(b_.CreateMul(column, b_.getInt64(most_lanes)), t));
    return b_.byte_offset(row, static_cast<std::int64_t>(u * lanes * size_of(t)));
  }

  // Blocks of columns from the identity on, and the blocks in order.
  void columns(const KernelPass& pass) {
    const auto vectors = static_cast<unsigned>(value_.size());
    Values start;
    for (const std::uint16_t n : pass.reductions)
      for (unsigned u = 0; u < vectors; ++u)
        start.push_back(identity(b_, kernel_.reductions[n].op, kernel_.reductions[n].dtype, true));
    const auto combined = [&](const Values& left, const Values& right) {
      Values result;
      for (std::size_t k = 0; k < left.size(); ++k) {
        const KernelReduction& r = kernel_.reductions[pass.reductions[k / vectors]];
        result.push_back(combine(b_, r.op, r.dtype, left[k], right[k]));
      }
      return result;
    };
    const Values totals =
        loop(b_.getInt64(0), arguments_.cols, column_block, start, [&](Value* block, const Values& before) {
          Value* const next = b_.CreateAdd(block, b_.getInt64(column_block));
          Value* const end = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, next, arguments_.cols);
          const Values partials = loop(block, end, 1, start, [&](Value* column, const Values& partial) {
            return combined(partial, step(pass, column));
          });
          return combined(before, partials);
        });
    for (std::size_t k = 0; k < totals.size(); ++k) {
      const std::uint16_t n = pass.reductions[k / vectors];
      total_[n].push_back(from_accumulator(b_, kernel_.reductions[n].dtype, totals[k]));
    }
  }

  // One column; what the reductions take of it.
  Values step(const KernelPass& pass, Value* column) {
    const auto vectors = static_cast<unsigned>(value_.size());
    const auto type = [&](std::uint16_t n) { return value_type(kernel_.code[n]); };
    for (const std::uint16_t n : pass.fetched)
      for (unsigned u = 0; u < vectors; ++u)
        value_[u][n] = decode(b_, type(n), load_full(b_, type(n), kept_at(n, u, column)));
    for (const std::uint16_t n : pass.full) compute(n, column);
    for (const std::uint16_t n : pass.saved)
      for (unsigned u = 0; u < vectors; ++u)
        store_full(b_, type(n), encode(b_, type(n), value_[u][n]), kept_at(n, u, column));
    for (const std::uint16_t n : pass.stores) store(kernel_.stores[n], column);
    Values taken;
    for (const std::uint16_t n : pass.reductions)
      for (unsigned u = 0; u < vectors; ++u)
        taken.push_back(to_accumulator(b_, kernel_.reductions[n].dtype, value_[u][kernel_.reductions[n].value]));
    return taken;
  }

  const Kernel& kernel_;
  const std::vector<KernelPass> passes_;
  Builder b_;
  llvm::Function* function_;
  KernelArguments arguments_;
  Values pointer_, at_lane_;   // by operand: of this row of the call, of this vector of rows
  Values kept_;                // by instruction
  std::vector<Values> value_;  // [vector][instruction]
  std::vector<Values> total_;  // [reduction][vector]
};

}  // namespace

llvm::Function* interleaved_rows(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa) {
  return InterleavedRows(kernel, name, module, isa).run();
}

}  // namespace weft::jit
