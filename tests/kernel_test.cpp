// Kernels: generated code against the interpreter, bit for bit, and both against what kernel.h says.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <thread>

#include "../compiler/interpreter.h"
#include "../compiler/jit/jit.h"
#include "../compiler/passes.h"

using namespace weft;

namespace {

using Random = std::mt19937_64;
int below(Random& random, int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); }
bool chance(Random& random, double p) { return static_cast<double>(random() >> 11) * 0x1p-53 < p; }
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

bool same_element(DType t, const std::byte* a, const std::byte* b) {
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

double as_double(DType t, const std::byte* a) {
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
    const KernelCall call{pointers.data(), row_stride_.data(), col_stride_.data(), rows_, cols_, aligned};
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
      const std::int64_t cols = kernel_.operands[i].step == ColumnStep::fixed ? 1 : cols_;
      for (std::int64_t r = 0; r < (accumulates(i) ? 1 : rows_); ++r)
        for (std::int64_t c = 0; c < cols; ++c) {
          const auto at = static_cast<std::size_t>(origin_[i] + r * row_stride_[i] + c * step(i));
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
  std::int64_t step(std::size_t i) const {
    return kernel_.operands[i].step == ColumnStep::strided
               ? col_stride_[i]
               : static_cast<std::int64_t>(size_of(kernel_.operands[i].dtype));
  }

  void place(std::size_t i, Random& random) {
    const KernelOperand& o = kernel_.operands[i];
    const auto size = static_cast<std::int64_t>(size_of(o.dtype));
    std::int64_t col = size, row = 0;
    const std::int64_t cols = o.step == ColumnStep::fixed ? 1 : cols_;
    if (o.step == ColumnStep::strided) {
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
    std::vector<std::byte> m(static_cast<std::size_t>(guard + 64 + r + std::abs(c) + size));
    const bool tame = chance(random, 0.5);
    visit_dtype(o.dtype, [&](auto zero) {
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
  std::int64_t rows_, cols_;
  std::vector<int> alias_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<std::int64_t> origin_, row_stride_, col_stride_;
};

// ---- random kernels
// ----------------------------------------------------------------------------------------------------

const std::vector<DType> compute_types = {f32, f32, f32, f64, i32, i64, u8, DType::boolean};

struct RandomKernel {
  Kernel kernel;
  std::vector<int> alias;
};

class Generator {
 public:
  explicit Generator(Random& r) : random(r) {}

  RandomKernel run() {
    if (chance(random, 0.35)) kernel.small_cols = 1 + below(random, 64);
    const int inputs = 1 + below(random, 4);
    for (int i = 0; i < inputs; ++i) add_input();
    const int size = 1 + below(random, 4) * below(random, 8);
    const int reductions = chance(random, 0.6) ? 1 + below(random, 3) : 0;
    for (int k = 0; k <= reductions; ++k) {
      for (int i = 0; i < size; ++i) add_operation();
      if (k < reductions) add_row_reduction();
    }
    if (chance(random, 0.3)) add_column_reduction();
    if (chance(random, 0.2)) add_column_reduction();
    const int stores = (kernel.reductions.empty() ? 1 : 0) + below(random, 3);
    for (int i = 0; i < stores; ++i) add_store(i == 0);
    RandomKernel result{kernel, {}};
    result.alias = choose_aliases();
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
    const ColumnStep step = chance(random, 0.2)   ? ColumnStep::fixed
                            : chance(random, 0.2) ? ColumnStep::strided
                                                  : ColumnStep::contiguous;
    kernel.operands.push_back({t, step, false});
    const Instruction s{ScalarOp::input, compute_type(t), 0, 0, 0, kernel.operands.size() - 1};
    emit({s, -1, step != ColumnStep::fixed || chance(random, 0.3)});
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
      case ScalarOp::fma:
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
                               !i.full               ? ColumnStep::fixed
                               : chance(random, 0.2) ? ColumnStep::strided
                                                     : ColumnStep::contiguous,
                               true});
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

std::pair<std::int64_t, std::int64_t> random_shape(Random& random, const Kernel& kernel) {
  const std::int64_t rows = pick(random, std::vector<std::int64_t>{0, 1, 1, 2, 3, 4, 5, 300});
  if (kernel.small_cols) return {rows, kernel.small_cols};
  std::int64_t cols = below(random, 71);
  if (chance(random, 0.4))
    cols = pick(random, std::vector<std::int64_t>{100, 255, 256, 257, 4095, 4096, 4097, 4111, 10000});
  return {cols > 300 ? std::min<std::int64_t>(rows, 5) : rows, cols};
}

constexpr Isa levels[] = {Isa::base, Isa::avx2, Isa::avx512};

std::vector<Isa> usable_levels() {
  std::vector<Isa> usable;
  for (Isa level : levels)
    if (level <= isa()) usable.push_back(level);
  return usable;
}

int count_of(const char* variable, int otherwise) {
  const char* wish = std::getenv(variable);
  return wish ? std::atoi(wish) : otherwise;
}

}  // namespace

TEST_CASE("generated code and interpreter give the same bits on random kernels", "[kernel]") {
  Jit* jit = Jit::get();
  if (!jit) {
    WARN("no code generator: nothing to compare");
    return;
  }
  const int count = count_of("WEFT_KERNEL_TESTS", 200), first = count_of("WEFT_KERNEL_SEED", 1), chunk = 25;
  for (int begin = first; begin < first + count; begin += chunk) {
    std::vector<RandomKernel> kernels;
    std::vector<const Kernel*> pointers;
    for (int seed = begin; seed < std::min(begin + chunk, first + count); ++seed) {
      Random random(static_cast<std::uint64_t>(seed) * 7919);
      kernels.push_back(Generator(random).run());
    }
    for (const RandomKernel& k : kernels) pointers.push_back(&k.kernel);
    for (Isa level : usable_levels()) {
      const std::vector<KernelFunction> functions = jit->compile(pointers, level);
      for (std::size_t k = 0; k < kernels.size(); ++k) {
        REQUIRE(functions[k]);
        Random random(static_cast<std::uint64_t>(begin) + k + 1000);
        for (int shape = 0; shape < 4; ++shape) {
          const auto [rows, cols] = random_shape(random, kernels[k].kernel);
          const Memory memory(kernels[k].kernel, rows, cols, kernels[k].alias, random);
          const auto want = memory.run([&](const KernelCall& call) { interpret(kernels[k].kernel, call); });
          const auto got = memory.run([&](const KernelCall& call) { functions[k](&call); });
          const std::string difference = memory.compare(want, got);
          if (difference.empty()) continue;
          std::string alias;
          for (std::size_t i = 0; i < kernels[k].alias.size(); ++i)
            if (kernels[k].alias[i] >= 0)
              alias += " @" + std::to_string(i) + " in @" + std::to_string(kernels[k].alias[i]);
          FAIL("seed " << begin + static_cast<int>(k) << " on " << name_of(level) << ", " << rows << " x " << cols
                       << alias << "\n"
                       << kernels[k].kernel.text() << difference);
        }
      }
    }
  }
}

// ---- kernel.h by the letter
// ----------------------------------------------------------------------------------------------

namespace {

// Runs a kernel of contiguous operands by the interpreter and at every level of the code generator; `check` sees the
// memory after each.
template <class Check> void run_everywhere(const Kernel& kernel, std::vector<std::vector<std::byte>> memory,
                                           std::int64_t rows, std::int64_t cols, Check&& check) {
  std::vector<std::int64_t> row_strides, col_strides;
  for (const KernelOperand& o : kernel.operands) {
    col_strides.push_back(static_cast<std::int64_t>(size_of(o.dtype)));
    row_strides.push_back(col_strides.back() * (o.step == ColumnStep::fixed ? 1 : cols));
  }
  const auto call = [&](const char* who, auto&& function) {
    INFO(who << ", " << rows << " x " << cols << "\n" << kernel.text());
    std::vector<std::vector<std::byte>> copy = memory;
    std::vector<void*> pointers;
    for (auto& m : copy) pointers.push_back(m.data());
    const KernelCall c{pointers.data(), row_strides.data(), col_strides.data(), rows, cols, nullptr};
    function(c);
    check(copy);
  };
  call("interpreter", [&](const KernelCall& c) { interpret(kernel, c); });
  Jit* jit = Jit::get();
  if (!jit) return;
  const Kernel* one = &kernel;
  for (Isa level : usable_levels()) {
    const KernelFunction function = jit->compile({&one, 1}, level)[0];
    REQUIRE(function);
    call(name_of(level), [&](const KernelCall& c) { function(&c); });
  }
}

template <class T> std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  for (std::size_t k = 0; k < values.size(); ++k) {
    const T x = values[k];
    std::memcpy(&bytes[k * sizeof(T)], &x, sizeof(T));
  }
  return bytes;
}
template <class T> T element(const std::vector<std::byte>& bytes, std::size_t k) {
  T x;
  std::memcpy(&x, &bytes[k * sizeof(T)], sizeof(T));
  return x;
}
template <class T> bool same(T a, T b) {
  return same_element(dtype_of<T>, reinterpret_cast<const std::byte*>(&a), reinterpret_cast<const std::byte*>(&b));
}

template <class T> std::vector<T> edges() {
  using L = std::numeric_limits<T>;
  if constexpr (std::is_same_v<T, bool>)
    return {false, true};
  else if constexpr (std::is_floating_point_v<T>)
    return {0,
            -T{0},
            L::infinity(),
            -L::infinity(),
            L::quiet_NaN(),
            L::denorm_min(),
            -L::denorm_min(),
            L::min(),
            L::max(),
            L::lowest(),
            1,
            -1,
            T(0.5),
            T(-0.5),
            T(1.5),
            T(2.5),
            T(-2.5),
            T(0.499999999999999),
            T(8388609),
            T(-3.75),
            T(2147483647.0),
            T(2147483648.0),
            T(-2147483648.0),
            T(-2147483649.0),
            T(9223372036854775807.0),
            T(-9223372036854775808.0),
            T(254.9),
            T(255),
            T(256),
            T(-0.9),
            3,
            T(1e-3),
            T(1) + L::epsilon()};
  else
    return {0,
            1,
            2,
            3,
            7,
            100,
            127,
            static_cast<T>(128),
            static_cast<T>(-1),
            static_cast<T>(-2),
            static_cast<T>(-7),
            L::min(),
            L::max(),
            static_cast<T>(L::max() - 1),
            static_cast<T>(L::min() + 1),
            static_cast<T>(0x12345678)};
}

template <class To, class From> To converted(From x) {
  if constexpr (std::is_same_v<To, bool>)
    return x != 0;
  else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (std::isnan(x)) return 0;
    const long double y = std::trunc(static_cast<long double>(x));
    if (y < static_cast<long double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (y > static_cast<long double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(y);
  } else
    return static_cast<To>(x);
}

template <class T> T expected(ScalarOp op, T a, T b, T c, int shift) {
  if constexpr (std::is_floating_point_v<T>) {
    switch (op) {
      case ScalarOp::add: return a + b;
      case ScalarOp::sub: return a - b;
      case ScalarOp::mul: return a * b;
      case ScalarOp::div: return a / b;
      case ScalarOp::neg: return -a;
      case ScalarOp::abs: return std::abs(a);
      case ScalarOp::fma: return std::fma(a, b, c);
      case ScalarOp::sqrt: return std::sqrt(a);
      case ScalarOp::floor: return std::floor(a);
      case ScalarOp::ceil: return std::ceil(a);
      case ScalarOp::trunc: return std::trunc(a);
      default: return std::nearbyint(a);
    }
  } else if constexpr (std::is_same_v<T, bool>) {
    return op == ScalarOp::bit_and ? a && b : op == ScalarOp::bit_or ? a || b : op == ScalarOp::bit_xor ? a != b : !a;
  } else {
    using Wide = __int128;
    using U = std::make_unsigned_t<T>;
    const auto wrap = [](Wide x) { return static_cast<T>(x); };
    switch (op) {
      case ScalarOp::add: return wrap(Wide{a} + b);
      case ScalarOp::sub: return wrap(Wide{a} - b);
      case ScalarOp::mul: return wrap(Wide{a} * b);
      case ScalarOp::div: return b == 0 ? T{0} : wrap(Wide{a} / b);
      case ScalarOp::neg: return wrap(-Wide{a});
      case ScalarOp::abs: return wrap(a < 0 ? -Wide{a} : Wide{a});
      case ScalarOp::bit_and: return wrap(Wide{a} & b);
      case ScalarOp::bit_or: return wrap(Wide{a} | b);
      case ScalarOp::bit_xor: return wrap(Wide{a} ^ b);
      case ScalarOp::bit_not: return wrap(~Wide{a});
      case ScalarOp::shl: return wrap(Wide{a} << shift);
      case ScalarOp::shr: return static_cast<T>(static_cast<U>(static_cast<U>(a) >> shift));
      default: return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> shift);
    }
  }
}

template <class T> bool compared(ScalarOp op, T a, T b) {
  return op == ScalarOp::lt ? a < b : op == ScalarOp::le ? a <= b : op == ScalarOp::eq ? a == b : a != b;
}

bool takes(ScalarOp op, DType t) {
  if (op <= ScalarOp::abs) return t != DType::boolean;
  if (op <= ScalarOp::nearest) return is_floating(t);
  if (op <= ScalarOp::le) return t != DType::boolean;
  if (op <= ScalarOp::ne) return true;
  if (op <= ScalarOp::bit_not) return !is_floating(t);
  return is_integer(t);  // shifts
}

// Three operands of type T, every pair of edge values in the first two.
template <class T> std::array<std::vector<T>, 3> edge_pairs() {
  const std::vector<T> e = edges<T>();
  std::array<std::vector<T>, 3> v;
  for (std::size_t i = 0; i < e.size(); ++i)
    for (std::size_t j = 0; j < e.size(); ++j) {
      v[0].push_back(e[i]), v[1].push_back(e[j]);
      v[2].push_back(e[(i * 5 + j * 3) % e.size()]);
    }
  return v;
}

const std::vector<DType> every_compute_type = {f32, f64, i32, i64, u8, DType::boolean};

// The row's reduction as kernel.h describes it.
template <class T> T combined(Reduction op, T a, T b) {
  switch (op) {
    case Reduction::sum: return expected(ScalarOp::add, a, b, b, 0);
    case Reduction::prod: return expected(ScalarOp::mul, a, b, b, 0);
    case Reduction::max: return a > b || a != a ? a : b;
    case Reduction::min: return a < b || a != a ? a : b;
    case Reduction::any: return a || b;  // of booleans only
    default: return a && b;
  }
}
template <class T> T neutral(Reduction op) {
  using L = std::numeric_limits<T>;
  const T highest = L::has_infinity ? L::infinity() : L::max();
  const T lowest = L::has_infinity ? static_cast<T>(-L::infinity()) : L::min();
  return op == Reduction::prod || op == Reduction::all ? T{1}
         : op == Reduction::max                        ? lowest
         : op == Reduction::min                        ? highest
                                                       : T{0};
}
template <class T> T row_reduction(Reduction op, const std::vector<T>& values, std::size_t row, std::size_t n) {
  const auto x = values.begin() + static_cast<std::ptrdiff_t>(row * n);
  T total = neutral<T>(op);
  for (std::size_t begin = 0; begin < n; begin += 4096) {
    T partial[16];
    std::fill_n(partial, 16, neutral<T>(op));
    for (std::size_t c = begin; c < std::min(n, begin + 4096); ++c)
      partial[c % 16] = combined<T>(op, partial[c % 16], x[static_cast<std::ptrdiff_t>(c)]);
    for (std::size_t half : {8u, 4u, 2u, 1u})
      for (std::size_t i = 0; i < half; ++i) partial[i] = combined(op, partial[i], partial[i + half]);
    total = combined(op, total, partial[0]);
  }
  return total;
}

}  // namespace

TEST_CASE("every scalar operation gives the defined value at the edges of every type", "[kernel]") {
  for (int o = static_cast<int>(ScalarOp::add); o <= static_cast<int>(ScalarOp::sar); ++o) {
    const auto op = static_cast<ScalarOp>(o);
    const bool compares = op >= ScalarOp::lt && op <= ScalarOp::ne, shifts = op >= ScalarOp::shl;
    for (DType t : every_compute_type) {
      if (!takes(op, t)) continue;
      visit_dtype(t, [&](auto zero) {
        using T = decltype(zero);
        if constexpr (!std::is_class_v<T>) {
          const std::array<std::vector<T>, 3> v = edge_pairs<T>();
          const std::size_t n = v[0].size();
          for (int shift : shifts ? std::vector<int>{0, 1, static_cast<int>(8 * sizeof(T)) - 1} : std::vector<int>{0}) {
            Kernel k;
            for (std::uint64_t i = 0; i < 3; ++i) {
              k.operands.push_back({t, ColumnStep::contiguous, false});
              k.code.push_back({{ScalarOp::input, t, 0, 0, 0, i}});
            }
            k.operands.push_back({compares ? DType::boolean : t, ColumnStep::contiguous, true});
            k.code.push_back({{op, t, 0, 1, 2, static_cast<std::uint64_t>(shift)}});
            k.stores = {{3, 3}};
            run_everywhere(k, {bytes_of(v[0]), bytes_of(v[1]), bytes_of(v[2]), std::vector<std::byte>(n * sizeof(T))},
                           1, static_cast<std::int64_t>(n), [&](const auto& memory) {
                             for (std::size_t i = 0; i < n; ++i) {
                               INFO(+v[0][i] << " " << +v[1][i] << " " << +v[2][i]);
                               if (compares) {
                                 if (element<bool>(memory[3], i) != compared(op, v[0][i], v[1][i])) FAIL("comparison");
                               } else if (const T got = element<T>(memory[3], i),
                                          want = expected(op, v[0][i], v[1][i], v[2][i], shift);
                                          !same(got, want)) {
                                 FAIL(+got << " where " << +want << " is right");
                               }
                             }
                           });
          }
        }
      });
    }
  }
}

TEST_CASE("conversions between every two compute types are C's, and saturate from floats to integers", "[kernel]") {
  for (DType from : every_compute_type)
    for (DType to : every_compute_type)
      visit_dtype(from, [&](auto x) {
        visit_dtype(to, [&](auto y) {
          using From = decltype(x);
          using To = decltype(y);
          if constexpr (!std::is_class_v<From> && !std::is_class_v<To>) {
            Kernel k;
            k.operands = {{from, ColumnStep::contiguous, false}, {to, ColumnStep::contiguous, true}};
            k.code = {{{ScalarOp::input, from}}, {{ScalarOp::convert, to, 0}}};
            k.stores = {{1, 1}};
            const std::vector<From> v = edges<From>();
            run_everywhere(k, {bytes_of(v), std::vector<std::byte>(v.size() * sizeof(To))}, 1,
                           static_cast<std::int64_t>(v.size()), [&](const auto& memory) {
                             for (std::size_t i = 0; i < v.size(); ++i) {
                               INFO(+v[i]);
                               CHECK(same(element<To>(memory[1], i), converted<To>(v[i])));
                             }
                           });
          }
        });
      });
}

TEST_CASE("bf16 and f16 load exactly and round as dtype.h does", "[kernel]") {
  const auto test = [](auto zero) {
    using H = decltype(zero);
    Kernel load, store;
    load.operands = {{dtype_of<H>, ColumnStep::contiguous, false}, {f32, ColumnStep::contiguous, true}};
    store.operands = {{f32, ColumnStep::contiguous, false}, {dtype_of<H>, ColumnStep::contiguous, true}};
    load.code = store.code = {{{ScalarOp::input, f32}}};
    load.stores = store.stores = {{0, 1}};
    std::vector<H> halves(65536);
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i].bits = static_cast<std::uint16_t>(i);
    run_everywhere(load, {bytes_of(halves), std::vector<std::byte>(65536 * 4)}, 1, 65536, [&](const auto& memory) {
      for (std::size_t i = 0; i < halves.size(); ++i)
        if (!same(element<float>(memory[1], i), static_cast<float>(halves[i]))) FAIL("bits " << i);
    });
    std::vector<float> floats;
    for (std::uint64_t u = 0; u <= 0xffffffffu; u += 4093)
      floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(u)));
    for (const H& h : halves)  // around every value and every midpoint
      for (int d : {-1, 0, 1})
        for (std::uint32_t half : {0u, dtype_of<H> == DType::bf16 ? 0x8000u : 0x1000u})
          floats.push_back(std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(h)) + half +
                                                static_cast<std::uint32_t>(d)));
    run_everywhere(store, {bytes_of(floats), std::vector<std::byte>(floats.size() * 2)}, 1,
                   static_cast<std::int64_t>(floats.size()), [&](const auto& memory) {
                     for (std::size_t i = 0; i < floats.size(); ++i)
                       if (!same(element<H>(memory[1], i), H(floats[i]))) FAIL(floats[i]);
                   });
  };
  test(bfloat16{});
  test(float16{});
}

TEST_CASE("a row reduction goes by 16 partials, blocks of 4096 and the tree 8, 4, 2, 1", "[kernel]") {
  Random random(11);
  for (DType t : every_compute_type)
    for (int o = 0; o < 6; ++o) {
      const auto op = static_cast<Reduction>(o);
      if ((t == DType::boolean) != (op >= Reduction::any)) continue;
      visit_dtype(t, [&](auto zero) {
        using T = decltype(zero);
        if constexpr (!std::is_class_v<T>) {
          Kernel k;
          k.operands = {{t, ColumnStep::contiguous, false}, {t, ColumnStep::fixed, true}};
          k.code = {{{ScalarOp::input, t}}, {{ScalarOp::input, t}, 0, false, 1}};
          k.reductions = {{op, t, 0, false, 0}};
          k.stores = {{1, 1}};
          for (std::size_t cols : {0u, 1u, 7u, 16u, 17u, 64u, 100u, 4095u, 4096u, 4097u, 8200u}) {
            for (bool exact : {false, true}) {
              if (exact && (cols == 0 || cols > 64)) continue;
              k.small_cols = exact ? static_cast<std::int32_t>(cols) : 0;
              std::vector<T> x(3 * cols);
              // Ordinary numbers; numbers where the sign of a zero decides; anything, with NaNs.
              for (std::size_t i = 0; i < x.size(); ++i) {
                x[i] = random_element<T>(random, i < 2 * cols);
                if (i >= cols && i < 2 * cols && std::is_floating_point_v<T>)
                  x[i] = chance(random, 0.5) ? T{0} : static_cast<T>(-T{0});
                if (op == Reduction::prod && std::is_floating_point_v<T> && i < cols) x[i] = T(0.9) + x[i] / 50;
              }
              run_everywhere(k, {bytes_of(x), std::vector<std::byte>(3 * sizeof(T))}, 3,
                             static_cast<std::int64_t>(cols), [&](const auto& memory) {
                               for (std::size_t r = 0; r < 3; ++r) {
                                 const T got = element<T>(memory[1], r), want = row_reduction(op, x, r, cols);
                                 INFO("row " << r << ": " << +got << " against " << +want);
                                 CHECK(same(got, want));
                               }
                             });
            }
          }
        }
      });
    }
}

TEST_CASE("a column reduction starts at the identity and takes its rows in order", "[kernel]") {
  Random random(12);
  for (DType t : {f32, f64, i32, u8})
    for (Reduction op : {Reduction::sum, Reduction::prod, Reduction::max, Reduction::min})
      visit_dtype(t, [&](auto zero) {
        using T = decltype(zero);
        if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
          Kernel k;
          k.operands = {{t, ColumnStep::contiguous, false}, {t, ColumnStep::contiguous, true}};
          k.code = {{{ScalarOp::input, t}}};
          k.reductions = {{op, t, 0, true, 1}};
          for (std::size_t cols : {1u, 31u, 64u, 200u})
            for (std::size_t rows : {0u, 1u, 50u}) {
              k.small_cols = cols == 31 ? 31 : 0;
              std::vector<T> x(rows * cols);
              for (T& e : x) e = random_element<T>(random, cols != 64);
              run_everywhere(k, {bytes_of(x), std::vector<std::byte>(cols * sizeof(T), std::byte{0x77})},
                             static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols), [&](const auto& memory) {
                               for (std::size_t c = 0; c < cols; ++c) {
                                 T want = neutral<T>(op);
                                 for (std::size_t r = 0; r < rows; ++r) want = combined(op, want, x[r * cols + c]);
                                 CHECK(same(element<T>(memory[1], c), want));
                               }
                             });
            }
        }
      });
}

TEST_CASE("kernels that differ anywhere have different texts", "[kernel]") {
  Kernel k;
  k.operands = {{f32, ColumnStep::contiguous, false}, {f32, ColumnStep::contiguous, true}};
  k.code = {{{ScalarOp::input, f32}}, {{ScalarOp::add, f32, 0, 0}}};
  k.reductions = {{Reduction::sum, f32, 1, true, 1}};
  k.stores = {{1, 1}};
  const std::vector<void (*)(Kernel&)> changes = {
      [](Kernel& x) { x.operands[0].dtype = f64; },
      [](Kernel& x) { x.operands[0].step = ColumnStep::fixed; },
      [](Kernel& x) { x.operands[0].output = true; },
      [](Kernel& x) { x.operands.push_back(x.operands[0]); },
      [](Kernel& x) { x.code[1].scalar.op = ScalarOp::sub; },
      [](Kernel& x) { x.code[1].scalar.type = f64; },
      [](Kernel& x) { x.code[1].scalar.a = 1; },
      [](Kernel& x) { x.code[1].scalar.b = 1; },
      [](Kernel& x) { x.code[1].scalar.c = 1; },
      [](Kernel& x) { x.code[0].scalar.c = 1; },
      [](Kernel& x) { x.code[0].scalar.a = 1; },
      [](Kernel& x) { x.code[0].scalar.imm = 1; },
      [](Kernel& x) { x.code[1].scalar.imm = 1; },
      [](Kernel& x) { x.code[0].reduced = 0; },
      [](Kernel& x) { x.code[0].reduced = 0, x.code[0].scalar.imm = 1; },
      [](Kernel& x) { x.code[0].reduced = -2; },
      [](Kernel& x) { x.code[1].reduced = 0; },
      [](Kernel& x) { x.code[1].full = false; },
      [](Kernel& x) { x.code[1].level = 1; },
      [](Kernel& x) { x.code[1].kept = true; },
      [](Kernel& x) { x.code.push_back(x.code[1]); },
      [](Kernel& x) { x.reductions[0].op = Reduction::prod; },
      [](Kernel& x) { x.reductions[0].dtype = f64; },
      [](Kernel& x) { x.reductions[0].value = 0; },
      [](Kernel& x) { x.reductions[0].column = false; },
      [](Kernel& x) { x.reductions[0].operand = 0; },
      [](Kernel& x) { x.reductions[0].column = false, x.reductions[0].operand = 0; },
      [](Kernel& x) { x.reductions.push_back(x.reductions[0]); },
      [](Kernel& x) { x.stores[0].value = 0; },
      [](Kernel& x) { x.stores[0].operand = 0; },
      [](Kernel& x) { x.stores.clear(); },
      [](Kernel& x) { x.small_cols = 10; }};
  std::vector<std::string> texts = {k.text()};
  for (const auto change : changes) {
    Kernel other = k;
    change(other);
    INFO(other.text());
    REQUIRE(std::ranges::count(texts, other.text()) == 0);
    texts.push_back(other.text());
  }
  CHECK(Kernel(k).text() == k.text());
}

TEST_CASE("a kernel is compiled once, whoever asks", "[kernel]") {
  Jit* jit = Jit::get();
  if (!jit) return;
  Kernel k;
  k.operands = {{f32, ColumnStep::contiguous, false}, {f32, ColumnStep::contiguous, true}};
  k.code = {{{ScalarOp::input, f32}}, {{ScalarOp::constant, f32, 0, 0, 0, 0x12345678}}, {{ScalarOp::add, f32, 0, 1}}};
  k.stores = {{2, 1}};
  const Kernel again = k;
  const Kernel* twice[] = {&k, &again};
  const std::size_t before = jit->stats().compiled;
  std::array<std::vector<KernelFunction>, 4> made;
  std::vector<std::thread> threads;
  for (auto& m : made) threads.emplace_back([&] { m = jit->compile(twice); });
  for (std::thread& t : threads) t.join();
  CHECK(jit->stats().compiled == before + 1);
  for (const auto& m : made) CHECK((m[0] && m[0] == made[0][0] && m[1] == made[0][0]));
}

TEST_CASE("row buffers hold the row and one vector more, each rounded up to 64 bytes", "[kernel]") {
  Kernel k;
  k.code = {{{ScalarOp::input, f32}, -1, true, 0, true},
            {{ScalarOp::lt, f32, 0, 0}, -1, true, 0, true},
            {{ScalarOp::neg, f64}}};
  CHECK(scratch_bytes(k, 100) == 512 + 128);
  CHECK(scratch_bytes(Kernel{}, 100) == 0);
}
