// Random kernels, memory for a call of one, and its comparison to the bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <weft/compiler/kernel.h>
#include <weft/compiler/row_passes.h>
#include <weft/tensor/isa.h>

#include "catch.h"

namespace weft::test {

using Random = std::mt19937_64;
inline int below(Random& random, int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); }
inline bool chance(Random& random, double p) { return static_cast<double>(random() >> 11) * 0x1p-53 < p; }
template <class T> T pick(Random& random, const std::vector<T>& from) {
  return from[static_cast<std::size_t>(below(random, static_cast<int>(from.size())))];
}

// ---- elements ------------------------------------------------------------------------------------------------------

// Tame ones are small numbers: a sum of many wild ones is a NaN whatever its order.
template <class T> T random_element(Random& random, bool tame = false) {
  if (tame && !std::is_same_v<T, bool>)
    return T(static_cast<float>(below(random, 20001)) * 0.001f - (std::is_unsigned_v<T> ? 0 : 10));
  if constexpr (std::is_same_v<T, bool>)
    return chance(random, 0.5);
  else if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>) {
    if (chance(random, 0.8)) return T(random_element<float>(random));
    T x;
    x.bits = static_cast<std::uint16_t>(random());
    return x;
  } else if constexpr (std::is_floating_point_v<T>) {
    using L = std::numeric_limits<T>;
    const T specials[] = {
        0,  -T{0}, L::infinity(), -L::infinity(),  L::quiet_NaN(),   L::denorm_min(), -L::min() / 2, L::max(),
        -1, 1,     T(0.5),        T(2147483648.0), T(-2147483648.0), T(255.5),        T(9.3e18)};
    if (chance(random, 0.06)) return specials[below(random, 15)];
    const T unit = static_cast<T>(static_cast<double>(random() >> 11) * 0x1p-53);
    if (chance(random, 0.1)) return std::ldexp(unit - T(0.5), below(random, 80) - 40);
    return (unit - T(0.5)) * 8;
  } else {
    using L = std::numeric_limits<T>;
    const T specials[] = {0, 1, static_cast<T>(-1), L::min(), L::max(), 2, 7};
    if (chance(random, 0.2)) return specials[below(random, 7)];
    return static_cast<T>(chance(random, 0.5) ? random() : random() % 100);
  }
}

inline bool same_element(DType t, const std::byte* a, const std::byte* b) {
  if (std::memcmp(a, b, size_of(t)) == 0) return true;
  return visit_dtype(t, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>)
      return false;
    else {
      T x, y;
      std::memcpy(&x, a, sizeof x), std::memcpy(&y, b, sizeof y);
      const double p = static_cast<double>(x), q = static_cast<double>(y);
      return p != p && q != q;
    }
  });
}

inline double as_double(DType t, const std::byte* a) {
  return visit_dtype(t, [&](auto zero) {
    std::memcpy(&zero, a, sizeof zero);
    return static_cast<double>(zero);
  });
}

// ---- a call with memory of its own
// -----------------------------------------------------------------------------------

// Memory for the operands of a kernel, with guards around, so that writes out of place show.
class Memory {
 public:
  // alias[i] >= 0: operand i is the memory of that operand.
  Memory(const Kernel& kernel, std::int64_t rows, std::int64_t cols, const std::vector<int>& alias, Random& random)
      : kernel_(kernel), rows_(rows), cols_(cols), alias_(alias) {
    if (kernel.interleaved) interleave_ = pick(random, std::vector<std::int64_t>{16, 17, 31, 64, 65, 80, 127, 130});
    for (std::size_t i = 0; i < kernel.operands.size(); ++i) place(i, random);
    for (std::size_t i = 0; i < kernel.operands.size(); ++i)
      if (alias_[i] >= 0) copy_place(i, static_cast<std::size_t>(alias_[i]));
  }

  // The outputs after `function`, on a copy of the memory.
  template <class F> std::vector<std::vector<std::byte>> run(F&& function) const {
    std::vector<std::vector<std::byte>> memory = memory_;
    std::vector<void*> pointers;
    for (std::size_t i = 0; i < memory.size(); ++i)
      pointers.push_back(memory[alias_[i] >= 0 ? static_cast<std::size_t>(alias_[i]) : i].data() + origin_[i]);
    const std::size_t scratch = scratch_bytes(kernel_, cols_);
    std::vector<std::byte> space(scratch + 128, std::byte{0x5a});
    void* aligned = space.data();
    std::size_t room = space.size();
    std::align(64, scratch, aligned, room);
    const KernelCall call{pointers.data(), row_stride_.data(), col_stride_.data(), rows_, cols_,
                          aligned,         repeat_.data(),     interleave_};
    function(call);
    const std::byte* end = static_cast<std::byte*>(aligned) + scratch;
    REQUIRE(std::all_of(end, static_cast<const std::byte*>(space.data() + space.size()),
                        [](std::byte x) { return x == std::byte{0x5a}; }));
    return memory;
  }

  // Empty, or what differs.
  std::string compare(const std::vector<std::vector<std::byte>>& a,
                      const std::vector<std::vector<std::byte>>& b) const {
    std::vector<std::vector<bool>> written;
    for (const auto& m : memory_) written.emplace_back(m.size());
    for (std::size_t i = 0; i < kernel_.operands.size(); ++i) {
      if (!kernel_.operands[i].output) continue;
      const std::size_t m = alias_[i] >= 0 ? static_cast<std::size_t>(alias_[i]) : i;
      const DType t = kernel_.operands[i].dtype;
      const std::int64_t cols = columns_of(i) * interleave_;
      for (std::int64_t r = 0; r < (accumulates(i) ? 1 : rows_); ++r)
        for (std::int64_t c = 0; c < cols; ++c) {
          const std::int64_t offset =
              c / interleave_ * step(i) + c % interleave_ * static_cast<std::int64_t>(size_of(t));
          const auto at = static_cast<std::size_t>(origin_[i] + r * row_stride_[i] + offset);
          for (std::size_t k = 0; k < size_of(t); ++k) written[m][at + k] = true;
          if (same_element(t, &a[m][at], &b[m][at])) continue;
          std::ostringstream s;
          s.precision(17);
          s << "@" << i << "[" << r << ", " << c << "]: " << as_double(t, &a[m][at]) << " against "
            << as_double(t, &b[m][at]);
          return s.str();
        }
    }
    for (std::size_t m = 0; m < memory_.size(); ++m)
      for (std::size_t k = 0; k < memory_[m].size(); ++k)
        for (const auto* side : {&a, &b})
          if (!written[m][k] && (*side)[m][k] != memory_[m][k])
            return "memory of @" + std::to_string(m) + " written out of place at byte " +
                   std::to_string(static_cast<std::int64_t>(k) - origin_[m]);
    return {};
  }

 private:
  bool accumulates(std::size_t i) const {
    return std::ranges::any_of(kernel_.reductions, [&](const auto& r) { return r.column && r.operand == i; });
  }
  // Elements along the columns: one of what is a row value.
  std::int64_t columns_of(std::size_t i) const {
    if (!kernel_.interleaved) return kernel_.operands[i].step == ColumnStep::fixed ? 1 : cols_;
    const auto of_row = [&](const KernelInstruction& n) {
      return !n.full && n.scalar.op == ScalarOp::input && n.reduced < 0 && n.scalar.imm == i;
    };
    const auto stored = [&](const KernelStore& s) { return s.operand == i && !kernel_.code[s.value].full; };
    return std::ranges::any_of(kernel_.code, of_row) || std::ranges::any_of(kernel_.stores, stored) ? 1 : cols_;
  }
  std::int64_t step(std::size_t i) const {
    return kernel_.operands[i].step == ColumnStep::strided || kernel_.interleaved
               ? col_stride_[i]
               : static_cast<std::int64_t>(size_of(kernel_.operands[i].dtype));
  }

  void place_interleaved(std::size_t i, Random& random) {
    const KernelOperand& o = kernel_.operands[i];
    const auto size = static_cast<std::int64_t>(size_of(o.dtype));
    const std::int64_t lanes = o.step == ColumnStep::contiguous ? interleave_ : 1,
                       column = size * (lanes + below(random, 3)),
                       row = column * columns_of(i) + size * below(random, 3), guard = 64 + size * below(random, 16);
    origin_.push_back(guard), row_stride_.push_back(row), col_stride_.push_back(column), repeat_.push_back(1);
    fill(o.dtype, static_cast<std::size_t>(guard + 64 + rows_ * row), random);
  }

  void place(std::size_t i, Random& random) {
    if (kernel_.interleaved) return place_interleaved(i, random);
    const KernelOperand& o = kernel_.operands[i];
    const auto size = static_cast<std::int64_t>(size_of(o.dtype));
    std::int64_t col = size, row = 0, repeat = 1;
    if (o.step == ColumnStep::repeated) repeat = pick(random, std::vector<std::int64_t>{16, 17, 31, 48, 1000, 20'000});
    const std::int64_t cols = o.step == ColumnStep::fixed ? 1 : (cols_ + repeat - 1) / repeat;
    repeat_.push_back(repeat);
    if (o.step == ColumnStep::strided || (repeat > 1 && chance(random, 0.5))) {
      col = size * (2 + below(random, 2));
      row = col * cols + size * below(random, 3);
      if (chance(random, 0.3)) row = size, col = size * std::max<std::int64_t>(rows_, 1);  // a transpose
      if (chance(random, 0.2)) col = -col;
    } else {
      row = cols * size + (chance(random, 0.5) ? size * below(random, 5) : 0);
    }
    if (!o.output && chance(random, 0.25)) row = 0;
    if (o.output && accumulates(i)) row = size * below(random, 9);  // not to be read
    const std::int64_t r = std::max<std::int64_t>(rows_ - 1, 0) * row, c = std::max<std::int64_t>(cols - 1, 0) * col;
    const std::int64_t guard = 64 + size * below(random, 16);
    origin_.push_back(guard - std::min<std::int64_t>(c, 0));
    row_stride_.push_back(row), col_stride_.push_back(col);
    fill(o.dtype, static_cast<std::size_t>(guard + 64 + r + std::abs(c) + size), random);
  }

  void fill(DType t, std::size_t bytes, Random& random) {
    std::vector<std::byte> m(bytes);
    const bool tame = chance(random, 0.5);
    visit_dtype(t, [&](auto zero) {
      using T = decltype(zero);
      for (std::size_t k = 0; k + sizeof(T) <= m.size(); k += sizeof(T)) {
        const T x = random_element<T>(random, tame);
        std::memcpy(&m[k], &x, sizeof x);
      }
    });
    memory_.push_back(std::move(m));
  }

  void copy_place(std::size_t i, std::size_t from) {
    // An output cannot stay in place in a broadcast input: spread that out first.
    if (row_stride_[from] == 0 && rows_ > 1) {
      const auto width = static_cast<std::int64_t>(memory_[from].size());
      const std::vector<std::byte> one = memory_[from];
      for (std::int64_t r = 1; r < rows_; ++r) memory_[from].insert(memory_[from].end(), one.begin(), one.end());
      row_stride_[from] = width;
    }
    origin_[i] = origin_[from], row_stride_[i] = row_stride_[from], col_stride_[i] = col_stride_[from];
  }

  const Kernel& kernel_;
  std::int64_t rows_, cols_, interleave_ = 1;
  std::vector<int> alias_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<std::int64_t> origin_, row_stride_, col_stride_, repeat_;
};

// ---- random kernels
// ----------------------------------------------------------------------------------------------------

inline const std::vector<DType> compute_types = {f32, f32, f32, f64, i32, i64, u8, DType::boolean};

struct RandomKernel {
  Kernel kernel;
  std::vector<int> alias;
};

class Generator {
 public:
  explicit Generator(Random& r) : random(r) {}

  RandomKernel run() {
    kernel.interleaved = chance(random, 0.25);
    if (!kernel.interleaved && chance(random, 0.35)) kernel.small_cols = 1 + below(random, 64);
    kernel.busy = chance(random, 0.3);
    const int inputs = 1 + below(random, 4);
    for (int i = 0; i < inputs; ++i) add_input();
    const int size = 1 + below(random, 4) * below(random, 8);
    const int reductions = chance(random, 0.6) ? 1 + below(random, 3) : 0;
    for (int k = 0; k <= reductions; ++k) {
      for (int i = 0; i < size; ++i) add_operation();
      if (k < reductions) add_row_reduction();
    }
    if (!kernel.interleaved && chance(random, 0.3)) add_column_reduction();
    if (!kernel.interleaved && chance(random, 0.2)) add_column_reduction();
    const int stores = (kernel.reductions.empty() ? 1 : 0) + below(random, 3);
    for (int i = 0; i < stores; ++i) add_store(i == 0);
    RandomKernel result{kernel, {}};
    result.alias = kernel.interleaved ? std::vector<int>(kernel.operands.size(), -1) : choose_aliases();
    return result;
  }

 private:
  DType type_of(int n) const { return result_type(kernel.code[static_cast<std::size_t>(n)].scalar); }
  int emit(KernelInstruction i) {
    if (i.full && i.scalar.op != ScalarOp::constant && chance(random, 0.2)) i.kept = true;
    kernel.code.push_back(i);
    return static_cast<int>(kernel.code.size()) - 1;
  }

  void add_input() {
    DType t = static_cast<DType>(below(random, 8));
    if (chance(random, 0.4)) t = f32;
    if (kernel.interleaved) return add_interleaved_input(t);
    const ColumnStep step = chance(random, 0.2)                          ? ColumnStep::fixed
                            : chance(random, 0.2)                        ? ColumnStep::strided
                            : !kernel.small_cols && chance(random, 0.15) ? ColumnStep::repeated
                                                                         : ColumnStep::contiguous;
    kernel.operands.push_back({t, step, false, step == ColumnStep::contiguous && chance(random, 0.3)});
    const Instruction s{ScalarOp::input, compute_type(t), 0, 0, 0, kernel.operands.size() - 1};
    emit({s, -1, step != ColumnStep::fixed || chance(random, 0.3)});
  }

  void add_interleaved_input(DType t) {
    kernel.operands.push_back({t, chance(random, 0.2) ? ColumnStep::fixed : ColumnStep::contiguous, false});
    emit({{ScalarOp::input, compute_type(t), 0, 0, 0, kernel.operands.size() - 1}, -1, chance(random, 0.8)});
  }

  int constant(DType t) {
    std::uint64_t bits = 0;
    visit_dtype(t, [&](auto zero) {
      zero = random_element<decltype(zero)>(random);
      std::memcpy(&bits, &zero, sizeof zero);
    });
    return emit({{ScalarOp::constant, t, 0, 0, 0, bits}, -1, chance(random, 0.5)});
  }

  // A value of type t, of any space: an old one, or a constant, or a conversion.
  int value(DType t) {
    std::vector<int> old;
    for (int n = 0; n < static_cast<int>(kernel.code.size()); ++n)
      if (type_of(n) == t) old.push_back(n);
    if (!old.empty() && chance(random, 0.9)) {
      if (chance(random, 0.5))
        return old[old.size() - 1 - static_cast<std::size_t>(below(random, std::min(3, static_cast<int>(old.size()))))];
      return pick(random, old);
    }
    if (chance(random, 0.3)) return constant(t);
    return operation(ScalarOp::convert, t, {below(random, static_cast<int>(kernel.code.size()))});
  }

  int operation(ScalarOp op, DType t, std::vector<int> uses, std::uint64_t imm = 0) {
    KernelInstruction i{{op, t, 0, 0, 0, imm}, -1, false};
    std::uint16_t* slots[] = {&i.scalar.a, &i.scalar.b, &i.scalar.c};
    for (std::size_t k = 0; k < uses.size(); ++k) {
      const KernelInstruction& use = kernel.code[static_cast<std::size_t>(uses[k])];
      *slots[k] = static_cast<std::uint16_t>(uses[k]);
      i.full |= use.full;
      i.level = std::max(i.level, use.level);
    }
    if (!i.full && chance(random, 0.3)) i.full = true;
    return emit(i);
  }

  // The bits of a NaN are no one's promise: none is looked at.
  int number(int x) {
    const DType t = type_of(x);
    const int is_number = operation(ScalarOp::eq, t, {x, x});
    return operation(ScalarOp::select, t, {is_number, x, operation(ScalarOp::convert, t, {constant(i32)})});
  }

  void add_operation() {
    const auto op = static_cast<ScalarOp>(2 + below(random, static_cast<int>(ScalarOp::convert) - 1));
    DType t = pick(random, compute_types);
    const auto integer = [&] { return pick(random, std::vector<DType>{i32, i64, u8}); };
    switch (op) {
      case ScalarOp::scalb: {  // of a number from 1 to 2, or its negative, and an integer exponent
        const bool wide = chance(random, 0.3);
        const DType fp = wide ? f64 : f32, in = wide ? i64 : i32;
        const auto bits = [&](std::uint64_t f64_bits, std::uint64_t f32_bits) {
          return emit({{ScalarOp::constant, in, 0, 0, 0, wide ? f64_bits : f32_bits}, -1, false});
        };
        const int fraction = operation(ScalarOp::bit_and, in, {value(in), bits(0x800fffffffffffff, 0x807fffff)});
        const int size = operation(ScalarOp::bit_or, in, {fraction, bits(0x3ff0000000000000, 0x3f800000)});
        const int exponent = operation(ScalarOp::sar, in, {value(in)}, wide ? 53 : 24);
        operation(op, fp, {operation(ScalarOp::bitcast, fp, {size}), operation(ScalarOp::convert, fp, {exponent})});
        return;
      }
      case ScalarOp::fma:
      case ScalarOp::exponent:
      case ScalarOp::significand:
      case ScalarOp::sqrt:
      case ScalarOp::floor:
      case ScalarOp::ceil:
      case ScalarOp::trunc:
      case ScalarOp::nearest: t = chance(random, 0.7) ? f32 : f64; break;
      case ScalarOp::bit_and:
      case ScalarOp::bit_or:
      case ScalarOp::bit_xor:
      case ScalarOp::bit_not: t = chance(random, 0.5) ? DType::boolean : integer(); break;
      case ScalarOp::shl:
      case ScalarOp::shr:
      case ScalarOp::sar: {
        t = integer();
        operation(op, t, {value(t)}, random() % (8 * size_of(t)));
        return;
      }
      case ScalarOp::eq:
      case ScalarOp::ne: break;
      case ScalarOp::select: {
        operation(op, t, {value(DType::boolean), value(t), value(t)});
        return;
      }
      case ScalarOp::bitcast: {
        const bool wide = chance(random, 0.5), to_float = chance(random, 0.5);
        const DType fp = wide ? f64 : f32, in = wide ? i64 : i32;
        operation(op, to_float ? fp : in, {to_float ? value(in) : number(value(fp))});
        return;
      }
      case ScalarOp::convert: operation(op, t, {below(random, static_cast<int>(kernel.code.size()))}); return;
      default: t = t == DType::boolean ? f32 : t;
    }
    std::vector<int> uses;
    for (int k = 0; k < arity(op); ++k) uses.push_back(value(t));
    operation(op, t, uses);
  }

  int full_value() {
    std::vector<int> old;
    for (int n = 0; n < static_cast<int>(kernel.code.size()); ++n)
      if (kernel.code[static_cast<std::size_t>(n)].full) old.push_back(n);
    if (!old.empty() && chance(random, 0.5)) return old.back();
    if (!old.empty()) return pick(random, old);
    const int last = static_cast<int>(kernel.code.size()) - 1;
    KernelInstruction i{{ScalarOp::convert, f32, static_cast<std::uint16_t>(last)}, -1, true};
    i.level = kernel.code.back().level;
    return emit(i);
  }

  Reduction reduction_of(DType t) {
    if (t == DType::boolean) return chance(random, 0.5) ? Reduction::any : Reduction::all;
    return static_cast<Reduction>(below(random, 4));
  }

  void add_row_reduction() {
    const int value = full_value();
    const DType t = type_of(value);
    const auto level = kernel.code[static_cast<std::size_t>(value)].level;
    kernel.reductions.push_back({reduction_of(t), t, static_cast<std::uint16_t>(value), false, 0});
    KernelInstruction i{
        {ScalarOp::input, t}, static_cast<std::int16_t>(kernel.reductions.size() - 1), chance(random, 0.1)};
    i.level = static_cast<std::uint8_t>(level + 1);
    emit(i);
  }

  void add_column_reduction() {
    const int value = full_value();
    const DType t = type_of(value);
    kernel.operands.push_back({t, ColumnStep::contiguous, true});
    kernel.reductions.push_back({reduction_of(t), t, static_cast<std::uint16_t>(value), true,
                                 static_cast<std::uint16_t>(kernel.operands.size() - 1)});
  }

  void add_store(bool last) {
    const int value =
        last ? static_cast<int>(kernel.code.size()) - 1 : below(random, static_cast<int>(kernel.code.size()));
    const KernelInstruction& i = kernel.code[static_cast<std::size_t>(value)];
    DType t = type_of(value);
    if (t == f32) t = pick(random, std::vector<DType>{f32, f32, DType::bf16, DType::f16});
    kernel.operands.push_back({t,
                               kernel.interleaved    ? ColumnStep::contiguous
                               : !i.full             ? ColumnStep::fixed
                               : chance(random, 0.2) ? ColumnStep::strided
                                                     : ColumnStep::contiguous,
                               true});
    KernelOperand& o = kernel.operands.back();
    o.past_caches = !kernel.interleaved && o.step == ColumnStep::contiguous && chance(random, 0.3);
    kernel.stores.push_back(
        {static_cast<std::uint16_t>(value), static_cast<std::uint16_t>(kernel.operands.size() - 1)});
  }

  // In place where the contract allows it.
  std::vector<int> choose_aliases() {
    std::vector<int> alias(kernel.operands.size(), -1);
    std::vector<bool> taken(kernel.operands.size());
    const std::vector<KernelPass> passes = passes_of(kernel);
    for (const KernelStore& s : kernel.stores) {
      if (!chance(random, 0.5)) continue;
      for (std::size_t i = 0; i < kernel.operands.size(); ++i) {
        const KernelOperand &in = kernel.operands[i], &out = kernel.operands[s.operand];
        if (in.output || taken[i] || in.dtype != out.dtype || in.step != out.step) continue;
        std::size_t last = 0;
        for (std::size_t p = 0; p < passes.size(); ++p)
          for (std::uint16_t n : passes[p].full)
            if (kernel.code[n].scalar.op == ScalarOp::input && kernel.code[n].reduced < 0 &&
                kernel.code[n].scalar.imm == i)
              last = p;
        if (kernel.code[s.value].full && last > kernel.code[s.value].level) continue;
        alias[s.operand] = static_cast<int>(i);
        taken[i] = true;
        break;
      }
    }
    return alias;
  }

  Random& random;
  Kernel kernel;
};

inline std::pair<std::int64_t, std::int64_t> random_shape(Random& random, const Kernel& kernel) {
  const std::int64_t rows = pick(random, std::vector<std::int64_t>{0, 1, 1, 2, 3, 4, 5, 300});
  if (kernel.small_cols) return {rows, kernel.small_cols};
  std::int64_t cols = below(random, 71);
  if (chance(random, 0.4))
    cols = pick(random, std::vector<std::int64_t>{100, 255, 256, 257, 4095, 4096, 4097, 4111, 10000});
  return {cols > 300 ? std::min<std::int64_t>(rows, 5) : rows, cols};
}

inline constexpr Isa levels[] = {Isa::base, Isa::avx2, Isa::avx512};

inline std::vector<Isa> usable_levels() {
  std::vector<Isa> usable;
  for (Isa level : levels)
    if (level <= isa()) usable.push_back(level);
  return usable;
}

}  // namespace weft::test
