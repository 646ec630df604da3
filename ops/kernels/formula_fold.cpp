#include "formula_fold.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tile_ops.h"

namespace weft {
namespace {

class Folder {
 public:
  explicit Folder(const Formula& formula, std::span<const KnownOperand> known) : from_(formula), known_(known) {}

  Formula run() {
    for (const Instruction& x : from_.code) map_.push_back(fold(x));
    to_.result = map_[from_.result];
    return without_unused();
  }

 private:
  std::uint16_t put(const Instruction& x) {
    const auto at = std::ranges::find(to_.code, x);
    if (at != to_.code.end()) return static_cast<std::uint16_t>(at - to_.code.begin());
    to_.code.push_back(x);
    return static_cast<std::uint16_t>(to_.code.size() - 1);
  }
  bool is_constant(std::uint16_t v) const { return to_.code[v].op == ScalarOp::constant; }

  std::uint16_t fold(Instruction x) {
    if (x.op == ScalarOp::input) {
      const auto k = std::ranges::find(known_, x.imm, &KnownOperand::operand);
      return put(k == known_.end() ? x : Instruction{ScalarOp::constant, x.type, 0, 0, 0, k->bits});
    }
    std::uint16_t* const operands[] = {&x.a, &x.b, &x.c};
    const int n = arity(x.op);
    bool constant = n > 0;
    for (int i = 0; i < n; ++i) {
      *operands[i] = map_[*operands[i]];
      constant = constant && is_constant(*operands[i]);
    }
    if (constant) return put(value_of(x));
    if (x.op == ScalarOp::select && is_constant(x.a)) return to_.code[x.a].imm ? x.b : x.c;
    if (x.type == DType::boolean && (x.op == ScalarOp::bit_and || x.op == ScalarOp::bit_or))
      for (const auto& [known, other] : {std::pair(x.a, x.b), std::pair(x.b, x.a)})
        if (is_constant(known)) return (to_.code[known].imm != 0) == (x.op == ScalarOp::bit_and) ? other : known;
    return put(x);
  }

  // A value in a tile has the width of its type, a mask one byte.
  Instruction value_of(const Instruction& x) const {
    const auto bits = [&](std::uint16_t v) { return to_.code[v].imm; };
    const std::uint64_t a = bits(x.a), b = bits(x.b), c = bits(x.c);
    std::uint64_t result = 0;
    tile::run(x, result_type(to_.code[x.a]), 1, &result, &a, &b, &c);
    return {ScalarOp::constant, result_type(x), 0, 0, 0, result};
  }

  Formula without_unused() const {
    std::vector<bool> used(to_.code.size());
    used[to_.result] = true;
    Formula kept;
    std::vector<std::uint16_t> place(to_.code.size());
    const auto operands = [](auto& x, auto visit) {
      const int n = arity(x.op);
      if (n > 0) visit(x.a);
      if (n > 1) visit(x.b);
      if (n > 2) visit(x.c);
    };
    for (std::size_t i = to_.code.size(); i-- > 0;)
      if (used[i]) operands(to_.code[i], [&](std::uint16_t v) { used[v] = true; });
    for (std::size_t i = 0; i < to_.code.size(); ++i) {
      if (!used[i]) continue;
      place[i] = static_cast<std::uint16_t>(kept.code.size());
      kept.code.push_back(to_.code[i]);
      operands(kept.code.back(), [&](std::uint16_t& v) { v = place[v]; });
    }
    kept.result = place[to_.result];
    return kept;
  }

  const Formula& from_;
  const std::span<const KnownOperand> known_;
  std::vector<std::uint16_t> map_;  // from_'s instructions in to_
  Formula to_;
};

}  // namespace

Formula folded(const Formula& formula, std::span<const KnownOperand> known) { return Folder(formula, known).run(); }

}  // namespace weft
