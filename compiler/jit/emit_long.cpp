// Rows of any length. A pass over the columns has one body of `unroll` vectors; what is left of a row at its end is
// copied to stack buffers, goes through the same body, and is copied back: the body's pointers are loop variables.
//
//   block:   4096 columns of a row reduction; the whole row where there is none
//   turn:    the whole vectors of a block, then once more for the ragged rest
//   step:    the body
#include <llvm/IR/IntrinsicsX86.h>

#include <algorithm>

#include "../../tensor/past_caches.h"
#include "emit_rows.h"

namespace weft::jit {
namespace {

using llvm::BasicBlock;
using llvm::PHINode;
using llvm::Value;

constexpr std::size_t unroll_up_to = 20;  // instructions

// An operand that a pass walks along the columns.
struct Stream {
  std::uint16_t operand;
  DType type;
  bool in = false, out = false, strided = false;
  bool accumulators = false;  // of a column reduction: their ragged end stays in its buffer from row to row
  Value* buffer = nullptr;
  PHINode *pointer = nullptr, *stride = nullptr;
};

class LongRows final : public RowEmitter {
 public:
  using RowEmitter::RowEmitter;

 private:
  void before_rows() override;
  Value* rows_at_once() override;
  void columns(const KernelPass& pass) override;
  void after_row(BasicBlock*) override {}
  void after_rows() override;

  void clear_accumulators(std::uint16_t n);
  void collect(const KernelPass& pass);
  unsigned choose_unroll() const;
  void turns(Value* begin, Value* end);
  void to_buffers(Value* begin, Value* rest);
  void from_buffers(Value* begin, Value* rest);
  void copy_strided(Value* begin, Value* rest, bool to_buffer);
  void step(Value* column);
  void plan_fetches();
  void fetch(Value* column);
  void fetch_ahead(Value* column);
  void fetch_lines(Value* at, DType type, bool write);
  std::vector<std::pair<std::uint16_t, unsigned>> staggered() const;
  void store(Stream& s, unsigned u, Value* column, Value* stored);
  void store_outputs(Value* column);
  Value* load(Stream& s, unsigned u, Value* column);
  Value* load_repeated(std::uint16_t operand, unsigned u, Value* column);
  std::vector<Partials> accumulate_first(std::vector<Partials> partials, Value* rest);
  Value* full_value(std::uint16_t n, unsigned u) const { return splat[n] ? splat[n] : value_[u][n]; }
  Stream& stream(std::uint16_t operand);
  Value* address(const Stream& s, unsigned u, Value* column);
  Value* row_buffer(std::uint16_t n, unsigned u, Value* column);

  const KernelPass* pass_ = nullptr;
  unsigned unroll_ = 1;
  std::vector<std::uint16_t> row_reductions_;
  std::vector<Stream> streams_;
  std::vector<std::vector<Value*>> value_;  // [u][instruction]
  std::vector<Partials> partials_;          // by row_reductions_
  struct Fetch {
    DType type;
    Value* row;
    bool write;
  };
  std::vector<Fetch> fetches_;
  struct Repeated {
    Value *inverse, *last;  // ceil(2^64 / repeat); the last element
  };
  std::vector<Repeated> repeated_;  // by operand
  struct Tail {
    Value* buffer = nullptr;
    unsigned unroll = 1;
  };
  std::vector<Tail> tails_;  // by reduction: the ragged end of a column reduction's accumulators
};

void LongRows::before_rows() {
  kept.resize(kernel.code.size());
  Value* at = scratch;
  for (std::uint16_t n = 0; n < kernel.code.size(); ++n) {
    if (!kernel.code[n].kept) continue;
    kept[n] = at;
    at = b.byte_offset(at, kept_bytes_of(b, type_of(n), cols));
  }
  scratch_row = b.CreateSub(b.CreatePtrToInt(at, b.getInt64Ty()), b.CreatePtrToInt(scratch, b.getInt64Ty()));
  repeated_.resize(kernel.operands.size());
  for (std::size_t i = 0; i < repeated_.size(); ++i)
    if (is_repeated(i))
      repeated_[i] = {b.CreateAdd(b.CreateUDiv(b.getInt64(~std::uint64_t{0}), repeat[i]), b.getInt64(1)),
                      b.CreateUDiv(b.CreateSub(cols, b.getInt64(1)), repeat[i])};
  tails_.resize(kernel.reductions.size());
  for (std::uint16_t n = 0; n < kernel.reductions.size(); ++n)
    if (kernel.reductions[n].column) clear_accumulators(n);
}

Value* LongRows::rows_at_once() {
  if (std::ranges::count_if(passes, &KernelPass::over_columns) < 2) return nullptr;
  Value* count = b.getInt64(1);
  for (std::int64_t n = 2; n <= most_rows_at_once; n *= 2) {
    Value* fit = b.CreateICmpSLE(cols, b.getInt64(static_cast<std::uint64_t>(longest_of(kernel, n))));
    count = b.CreateSelect(fit, b.getInt64(static_cast<std::uint64_t>(n)), count);
  }
  return count;
}

// The whole steps in memory, the ragged end in its buffer.
void LongRows::clear_accumulators(std::uint16_t n) {
  const KernelReduction& r = kernel.reductions[n];
  for (const KernelPass& pass : passes)
    if (std::ranges::count(pass.reductions, n)) collect(pass);
  tails_[n] = {buffer(static_cast<std::int64_t>(unroll_ * lanes * size_of(r.dtype))), unroll_};
  for (unsigned u = 0; u < unroll_; ++u)
    store_full(b, r.dtype, identity(b, r.op, r.dtype, true),
               b.byte_offset(tails_[n].buffer, static_cast<std::int64_t>(u * lanes * size_of(r.dtype))));
  Value* whole = b.CreateAnd(cols, b.getInt64(~std::uint64_t{unroll_ * lanes - 1}));
  BasicBlock *from = b.GetInsertBlock(), *loop = block("clear"), *next = block("cleared");
  b.CreateCondBr(b.CreateIsNotNull(whole), loop, next);
  b.SetInsertPoint(loop);
  PHINode* c = b.CreatePHI(b.getInt64Ty(), 2);
  c->addIncoming(b.getInt64(0), from);
  Value* to = b.byte_offset(first_row[r.operand], b.bytes_of(c, r.dtype));
  store_full(b, r.dtype, identity(b, r.op, r.dtype, true), to);
  Value* after = b.CreateAdd(c, b.getInt64(lanes));
  c->addIncoming(after, loop);
  b.CreateCondBr(b.CreateICmpSLT(after, whole), loop, next);
  b.SetInsertPoint(next);
}

void LongRows::after_rows() {
  const auto past_caches = [](const KernelOperand& o) { return o.output && o.past_caches; };
  if (std::ranges::any_of(kernel.operands, past_caches))  // before another thread may be told that they are done
    b.CreateIntrinsic(llvm::Intrinsic::x86_sse_sfence, {}, {});
  for (std::size_t n = 0; n < tails_.size(); ++n) {
    const KernelReduction& r = kernel.reductions[n];
    if (!r.column) continue;
    Value* rest = b.CreateAnd(cols, b.getInt64(tails_[n].unroll * lanes - 1));
    BasicBlock *copy = block("tail"), *next = block("no.tail");
    b.CreateCondBr(b.CreateIsNotNull(rest), copy, next);
    b.SetInsertPoint(copy);
    Value* memory = b.byte_offset(first_row[r.operand], b.bytes_of(b.CreateSub(cols, rest), r.dtype));
    copy_ragged(b, r.dtype, memory, tails_[n].buffer, rest, tails_[n].unroll, false);
    b.CreateBr(next);
    b.SetInsertPoint(next);
  }
}

Stream& LongRows::stream(std::uint16_t operand) {
  for (Stream& s : streams_)
    if (s.operand == operand) return s;
  Stream s{operand, kernel.operands[operand].dtype};
  s.strided = kernel.operands[operand].step == ColumnStep::strided;
  streams_.push_back(s);
  return streams_.back();
}

void LongRows::collect(const KernelPass& pass) {
  pass_ = &pass;
  streams_.clear();
  row_reductions_.clear();
  for (std::uint16_t n : pass_->full)
    if (loads_columns(n) && !is_repeated(kernel.code[n].scalar.imm))
      stream(static_cast<std::uint16_t>(kernel.code[n].scalar.imm)).in = true;
  for (std::uint16_t n : pass_->stores) stream(kernel.stores[n].operand).out = true;
  for (std::uint16_t n : pass_->reductions) {
    if (!kernel.reductions[n].column)
      row_reductions_.push_back(n);
    else
      stream(kernel.reductions[n].operand).accumulators = true;
  }
  unroll_ = choose_unroll();
}

// Two vectors a step for short bodies, and for those that run so long that more code is worth while four: the chain of
// an elementary function is 60 cycles long, of which the CPU's window holds about 20. (Row buffers have room for two
// behind the row; a reduction's partials are taken one vector after the other.)
unsigned LongRows::choose_unroll() const {
  if (pass_->full.size() > unroll_up_to && !kernel.busy) return 1;
  for (const Stream& s : streams_)
    if (s.strided) return 1;
  const bool rows = std::ranges::any_of(kernel.code, &KernelInstruction::kept) || !kernel.reductions.empty();
  return kernel.busy && !rows ? 4 : 2;
}

void LongRows::columns(const KernelPass& pass) {
  collect(pass);
  plan_fetches();
  for (Stream& s : streams_)
    if (!s.accumulators) s.buffer = buffer(static_cast<std::int64_t>(unroll_ * lanes * size_of(s.type)));
  for (std::uint16_t n : pass.reductions)
    if (kernel.reductions[n].column) stream(kernel.reductions[n].operand).buffer = tails_[n].buffer;

  BasicBlock *before = b.GetInsertBlock(), *blocks = block("block"), *after = block("after");
  b.CreateCondBr(b.CreateICmpSGT(cols, b.getInt64(0)), blocks, after);
  b.SetInsertPoint(blocks);
  if (row_reductions_.empty()) {
    turns(b.getInt64(0), cols);
    b.CreateBr(after);
    b.SetInsertPoint(after);
    return;
  }
  PHINode* begin = b.CreatePHI(b.getInt64Ty(), 2);
  begin->addIncoming(b.getInt64(0), before);
  std::vector<PHINode*> totals;
  for (std::uint16_t n : row_reductions_) {
    const KernelReduction& r = kernel.reductions[n];
    Value* start = identity(b, r.op, r.dtype, false);
    totals.push_back(b.CreatePHI(start->getType(), 2));
    totals.back()->addIncoming(start, before);
  }
  Value* next = b.CreateAdd(begin, b.getInt64(weft::row_block));
  turns(begin, b.CreateSelect(b.CreateICmpSLT(next, cols), next, cols));
  std::vector<Value*> combined;
  for (std::size_t k = 0; k < totals.size(); ++k) {
    const KernelReduction& r = kernel.reductions[row_reductions_[k]];
    combined.push_back(combine(b, r.op, r.dtype, totals[k], tree(b, r.op, r.dtype, partials_[k])));
  }
  BasicBlock* last = b.GetInsertBlock();
  begin->addIncoming(next, last);
  b.CreateCondBr(b.CreateICmpSLT(next, cols), blocks, after);
  b.SetInsertPoint(after);
  std::vector<PHINode*> results;
  for (std::size_t k = 0; k < totals.size(); ++k) {
    totals[k]->addIncoming(combined[k], last);
    results.push_back(b.CreatePHI(combined[k]->getType(), 2));
    results[k]->addIncoming(totals[k]->getIncomingValueForBlock(before), before);
    results[k]->addIncoming(combined[k], last);
  }
  for (std::size_t k = 0; k < totals.size(); ++k) set_total(row_reductions_[k], results[k]);
}

// Columns [begin, end), not empty. Leaves the builder behind them and the partials in partials_.
void LongRows::turns(Value* begin, Value* end) {
  const std::uint64_t width = unroll_ * lanes;
  BasicBlock *entry = b.GetInsertBlock(), *turn = block("turn"), *body = block("step"), *after = block("turned");
  BasicBlock *prepare = block("ragged"), *last = block("last"), *finish = block("finish"), *done = block("turns.done");
  Value* rest = b.CreateAnd(b.CreateSub(end, begin), b.getInt64(width - 1));
  Value* whole = b.CreateSub(end, rest);
  b.CreateCondBr(b.CreateICmpSLT(begin, whole), turn, prepare);

  const auto phi = [&](llvm::Type* type) { return b.CreatePHI(type, 2); };
  // Partials pass from the entry or the first turn to the second one.
  const auto phis_of = [&](const std::vector<Partials>& from, BasicBlock* source) {
    std::vector<Partials> result;
    for (const Partials& p : from) {
      Partials q;
      q.value = phi(p.value->getType());
      llvm::cast<PHINode>(q.value)->addIncoming(p.value, source);
      if (p.nan) q.nan = phi(p.nan->getType()), llvm::cast<PHINode>(q.nan)->addIncoming(p.nan, source);
      result.push_back(q);
    }
    return result;
  };
  const auto close = [](const std::vector<Partials>& phis, const std::vector<Partials>& from, BasicBlock* source) {
    for (std::size_t k = 0; k < phis.size(); ++k) {
      llvm::cast<PHINode>(phis[k].value)->addIncoming(from[k].value, source);
      if (phis[k].nan) llvm::cast<PHINode>(phis[k].nan)->addIncoming(from[k].nan, source);
    }
  };
  std::vector<Partials> start;
  for (std::uint16_t n : row_reductions_)
    start.push_back(initial_partials(b, kernel.reductions[n].op, kernel.reductions[n].dtype));

  b.SetInsertPoint(prepare);
  const std::vector<Partials> between = phis_of(start, entry);
  to_buffers(whole, rest);
  BasicBlock* prepared = b.GetInsertBlock();
  std::vector<Value*> buffers;
  for (Stream& s : streams_) buffers.push_back(b.byte_offset(s.buffer, b.CreateNeg(b.bytes_of(whole, s.type))));
  Value* ragged_end = b.CreateAdd(whole, b.getInt64(width));
  b.CreateBr(turn);

  b.SetInsertPoint(turn);
  const std::vector<Partials> turning = phis_of(start, entry);
  close(turning, between, prepared);
  const auto choose = [&](Value* first, Value* second) {
    PHINode* p = phi(first->getType());
    p->addIncoming(first, entry);
    p->addIncoming(second, prepared);
    return p;
  };
  Value* from = choose(begin, whole);
  Value* to = choose(whole, ragged_end);
  Value* ragged = choose(b.getFalse(), b.getTrue());
  for (std::size_t k = 0; k < streams_.size(); ++k) {
    Stream& s = streams_[k];
    s.pointer = choose(pointer[s.operand], buffers[k]);
    if (s.strided) s.stride = choose(col_stride[s.operand], b.getInt64(size_of(s.type)));
  }
  b.CreateBr(body);

  b.SetInsertPoint(body);
  PHINode* column = phi(b.getInt64Ty());
  column->addIncoming(from, turn);
  const std::vector<Partials> running = phis_of(turning, turn);
  partials_ = running;
  step(column);
  BasicBlock* latch = b.GetInsertBlock();
  close(running, partials_, latch);
  Value* next = b.CreateAdd(column, b.getInt64(width));
  column->addIncoming(next, latch);
  b.CreateCondBr(b.CreateICmpSLT(next, to), body, after);

  b.SetInsertPoint(after);
  close(between, partials_, after);
  Value* again = b.CreateAnd(b.CreateNot(ragged), b.CreateICmpNE(rest, b.getInt64(0)));
  b.CreateCondBr(again, prepare, last);
  b.SetInsertPoint(last);
  b.CreateCondBr(ragged, finish, done);
  b.SetInsertPoint(finish);
  from_buffers(whole, rest);
  const std::vector<Partials> whole_steps = std::move(partials_), ragged_step = accumulate_first(running, rest);
  BasicBlock* finished = b.GetInsertBlock();
  b.CreateBr(done);
  b.SetInsertPoint(done);
  partials_ = phis_of(whole_steps, last);
  close(partials_, ragged_step, finished);
}

void LongRows::to_buffers(Value* begin, Value* rest) {
  for (Stream& s : streams_) {
    if (!s.in || s.strided) continue;
    Value* memory = b.byte_offset(pointer[s.operand], b.bytes_of(begin, s.type));
    copy_ragged(b, s.type, memory, s.buffer, rest, unroll_, true);
  }
  copy_strided(begin, rest, true);
}

void LongRows::from_buffers(Value* begin, Value* rest) {
  for (Stream& s : streams_) {
    if (!s.out || s.strided) continue;
    Value* memory = b.byte_offset(pointer[s.operand], b.bytes_of(begin, s.type));
    copy_ragged(b, s.type, memory, s.buffer, rest, unroll_, false);
  }
  copy_strided(begin, rest, false);
}

// One loop over the elements for all strided operands.
void LongRows::copy_strided(Value* begin, Value* rest, bool to_buffer) {
  const auto takes_part = [&](const Stream& s) { return s.strided && (to_buffer ? s.in : s.out); };
  if (std::none_of(streams_.begin(), streams_.end(), takes_part)) return;
  BasicBlock *from = b.GetInsertBlock(), *loop = block("copy"), *copied = block("copied");
  b.CreateBr(loop);
  b.SetInsertPoint(loop);
  PHINode* k = b.CreatePHI(b.getInt64Ty(), 2);
  k->addIncoming(b.getInt64(0), from);
  for (Stream& s : streams_) {
    if (!takes_part(s)) continue;
    Value* there = b.byte_offset(pointer[s.operand], b.CreateMul(b.CreateAdd(begin, k), col_stride[s.operand]));
    Value* here = b.byte_offset(s.buffer, b.bytes_of(k, s.type));
    store_one(b, s.type, load_one(b, s.type, to_buffer ? there : here), to_buffer ? here : there);
  }
  Value* next = b.CreateAdd(k, b.getInt64(1));
  k->addIncoming(next, loop);
  b.CreateCondBr(b.CreateICmpSLT(next, rest), loop, copied);
  b.SetInsertPoint(copied);
}

Value* LongRows::address(const Stream& s, unsigned u, Value* column) {
  if (s.strided) return b.byte_offset(s.pointer, b.CreateMul(column, s.stride));
  return b.byte_offset(b.byte_offset(s.pointer, b.bytes_of(column, s.type)),
                       static_cast<std::int64_t>(u * lanes * size_of(s.type)));
}

Value* LongRows::row_buffer(std::uint16_t n, unsigned u, Value* column) {
  Value* at = b.byte_offset(kept[n], b.bytes_of(column, type_of(n)));
  return b.byte_offset(at, static_cast<std::int64_t>(u * lanes * size_of(type_of(n))));
}

Value* LongRows::load(Stream& s, unsigned u, Value* column) {
  Value* at = address(s, u, column);
  return s.strided ? load_strided(b, s.type, at, s.stride, lanes) : load_full(b, s.type, at);
}

// The vector's columns show one element, or two next to each other. c / repeat is the upper half of c times the
// inverse: it is off by less than c / 2^64, and c times repeat is less than 2^62. Behind the row stands its last
// element.
Value* LongRows::load_repeated(std::uint16_t operand, unsigned u, Value* column) {
  const DType t = kernel.operands[operand].dtype;
  const auto wide = [&](Value* v) { return b.CreateZExt(v, b.getInt128Ty()); };
  const auto least = [&](Value* x, Value* y) { return b.CreateBinaryIntrinsic(llvm::Intrinsic::umin, x, y); };
  const Repeated& r = repeated_[operand];
  Value* c = b.CreateAdd(column, b.getInt64(u * lanes));
  Value* product = b.CreateMul(wide(c), wide(r.inverse));
  Value* element = b.CreateTrunc(b.CreateLShr(product, 64), b.getInt64Ty());
  Value* next = b.CreateAdd(element, b.getInt64(1));
  const auto everywhere = [&](Value* number) {
    Value* at = b.byte_offset(pointer[operand], b.CreateMul(least(number, r.last), col_stride[operand]));
    return b.splat(load_one(b, t, at));
  };
  Value* first = least(b.CreateSub(b.CreateMul(next, repeat[operand]), c), b.getInt64(lanes));
  return b.CreateSelect(lane_mask(b, t, first), everywhere(element), everywhere(next));
}

void LongRows::store(Stream& s, unsigned u, Value* column, Value* stored) {
  Value* at = address(s, u, column);
  if (s.strided)
    store_strided(b, s.type, stored, at, s.stride, lanes);
  else
    store_full(b, s.type, stored, at);
}

// A pass's outputs of a step. Those that go around the caches do so by one branch for all of them, once all are
// computed: LLVM would sink what a branch of its own needs to it, and one vector after the other would be computed. The
// instruction wants aligned addresses, which all buffers have but what a variable may have been given; vectors of a
// step lie as the first one does.
void LongRows::store_outputs(Value* column) {
  struct PastCaches {
    Value *at, *stored;
    std::uint64_t alignment;
  };
  std::vector<PastCaches> past;
  Value* off = nullptr;
  for (std::uint16_t n : pass_->stores) {
    Stream& s = stream(kernel.stores[n].operand);
    const bool around = kernel.operands[s.operand].past_caches;
    const std::uint64_t alignment = std::min<std::uint64_t>(64, lanes * size_of(s.type));
    for (unsigned u = 0; u < unroll_; ++u) {
      Value* stored = encode(b, s.type, full_value(kernel.stores[n].value, u));
      if (around)
        past.push_back({address(s, u, column), stored, alignment});
      else
        store(s, u, column, stored);
    }
    if (!around) continue;
    Value* low = b.CreateAnd(b.CreatePtrToInt(address(s, 0, column), b.getInt64Ty()), b.getInt64(alignment - 1));
    off = off ? b.CreateOr(off, low) : low;
  }
  if (!off) return;
  BasicBlock *aligned = block("aligned"), *other = block("unaligned"), *next = block("stored");
  b.CreateCondBr(b.CreateIsNull(off), aligned, other);
  b.SetInsertPoint(aligned);
  auto* one = llvm::ConstantAsMetadata::get(b.getInt32(1));
  for (const PastCaches& p : past)
    b.CreateAlignedStore(p.stored, p.at, llvm::Align(p.alignment))
        ->setMetadata(llvm::LLVMContext::MD_nontemporal, llvm::MDNode::get(b.getContext(), one));
  b.CreateBr(next);
  b.SetInsertPoint(other);
  for (const PastCaches& p : past) b.CreateAlignedStore(p.stored, p.at, llvm::Align(1));
  b.CreateBr(next);
  b.SetInsertPoint(next);
}

// What a step computes, in the order of the kernel, and each vector some instructions behind the one before: chains
// that do not need each other run side by side, for which the CPU's window, far shorter than one of them, would not do;
// and vectors that do not all do the same at a time hold less in registers, and want other units.
std::vector<std::pair<std::uint16_t, unsigned>> LongRows::staggered() const {
  constexpr std::size_t behind = 6;  // of 2 to 30, by trial
  const std::vector<std::uint16_t>& all = pass_->full;
  std::vector<std::pair<std::uint16_t, unsigned>> order;
  for (std::size_t k = 0; order.size() < all.size() * unroll_; ++k)
    for (unsigned u = 0; u < unroll_; ++u)
      if (k >= u * behind && k - u * behind < all.size()) order.emplace_back(all[k - u * behind], u);
  return order;
}

// The partials after the first `rest` elements of a step whose values stand in value_.
std::vector<Partials> LongRows::accumulate_first(std::vector<Partials> partials, Value* rest) {
  for (std::size_t k = 0; k < row_reductions_.size(); ++k) {
    const KernelReduction& r = kernel.reductions[row_reductions_[k]];
    for (unsigned u = 0; u < unroll_; ++u) {
      Value* mask = lane_mask(b, r.dtype, b.CreateSub(rest, b.getInt64(u * lanes)));
      partials[k] = accumulate_where(b, r.op, r.dtype, partials[k], mask, full_value(r.value, u));
    }
  }
  return partials;
}

// Of rows that are taken in groups, the longest pass has time to fetch what the others only load and store: the next
// group's inputs of the first one, and the outputs of those to come.
void LongRows::plan_fetches() {
  fetches_.clear();
  const auto length = [](const KernelPass& p) { return p.full.size(); };
  if (!next_group || pass_ != &*std::ranges::max_element(passes, {}, length)) return;
  Value* grouped = b.CreateIsNotNull(next_group);
  const auto add = [&](std::uint16_t operand, Value* at, bool write) {
    const KernelOperand& o = kernel.operands[operand];
    if (o.step != ColumnStep::contiguous || (write && o.past_caches)) return;
    fetches_.push_back({o.dtype, b.CreateSelect(grouped, at, scratch), write});
  };
  if (pass_ != &passes.front())
    for (std::uint16_t n : passes.front().full) {
      if (!loads_columns(n)) continue;
      const auto operand = static_cast<std::uint16_t>(kernel.code[n].scalar.imm);
      add(operand, b.byte_offset(pointer[operand], b.CreateMul(next_group, row_stride[operand])), false);
    }
  for (const KernelPass* p = pass_ + 1; p <= &passes.back(); ++p)
    for (std::uint16_t n : p->stores) add(kernel.stores[n].operand, pointer[kernel.stores[n].operand], true);
}

void LongRows::fetch(Value* column) {
  for (const Fetch& f : fetches_) fetch_lines(b.byte_offset(f.row, b.bytes_of(column, f.type)), f.type, f.write);
}

// What comes from memory. (Rows that are taken in groups fetch by plan.)
void LongRows::fetch_ahead(Value* column) {
  if (next_group) return;
  for (Stream& s : streams_)
    if (s.in && !s.strided && kernel.operands[s.operand].past_caches)
      fetch_lines(b.byte_offset(address(s, 0, column), fetched_ahead), s.type, false);
}

// What a step takes from there.
void LongRows::fetch_lines(Value* at, DType type, bool write) {
  constexpr std::size_t line = 64;
  for (std::size_t offset = 0; offset < unroll_ * lanes * size_of(type); offset += line)
    b.CreateIntrinsic(
        llvm::Intrinsic::prefetch, {b.getPtrTy()},
        {b.byte_offset(at, static_cast<std::int64_t>(offset)), b.getInt32(write), b.getInt32(3), b.getInt32(1)});
}

// The body: all loads before all stores, since an output may be an input's memory.
void LongRows::step(Value* column) {
  fetch_ahead(column);
  value_.assign(unroll_, std::vector<Value*>(kernel.code.size()));
  for (std::uint16_t n : pass_->fetched)
    for (unsigned u = 0; u < unroll_; ++u)
      value_[u][n] = decode(b, type_of(n), load_full(b, type_of(n), row_buffer(n, u, column)));
  for (const auto& [n, u] : staggered()) {
    if (splat[n]) continue;
    if (loads_columns(n)) {
      const auto operand = static_cast<std::uint16_t>(kernel.code[n].scalar.imm);
      value_[u][n] =
          decode(b, kernel.operands[operand].dtype,
                 is_repeated(operand) ? load_repeated(operand, u, column) : load(stream(operand), u, column));
    } else {
      value_[u][n] = compute(n, [u = u, this](std::uint16_t use) { return full_value(use, u); });
    }
  }
  for (std::size_t k = 0; k < row_reductions_.size(); ++k) {
    const KernelReduction& r = kernel.reductions[row_reductions_[k]];
    std::vector<Value*> values;
    for (unsigned u = 0; u < unroll_; ++u) values.push_back(full_value(r.value, u));
    partials_[k] = accumulate(b, r.op, r.dtype, partials_[k], values);
  }
  for (std::uint16_t n : pass_->reductions) {
    const KernelReduction& r = kernel.reductions[n];
    if (!r.column) continue;
    for (unsigned u = 0; u < unroll_; ++u) {
      Stream& s = stream(r.operand);
      Value* value = to_accumulator(b, r.dtype, full_value(r.value, u));
      store(s, u, column, combine(b, r.op, r.dtype, load(s, u, column), value));
    }
  }
  for (std::uint16_t n : pass_->saved)
    for (unsigned u = 0; u < unroll_; ++u)
      store_full(b, type_of(n), encode(b, type_of(n), full_value(n, u)), row_buffer(n, u, column));
  fetch(column);
  store_outputs(column);
}

}  // namespace

std::unique_ptr<RowEmitter> long_rows(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa) {
  return std::make_unique<LongRows>(kernel, name, module, isa);
}

}  // namespace weft::jit
