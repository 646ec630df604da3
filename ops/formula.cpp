#include "formula.h"

#include <fmt/format.h>

#include <bit>

#include "recorded.h"

namespace weft {

namespace {
struct ScalarInfo {
  std::string_view name;
  int arity;
};
// In the order of ScalarOp.
constexpr ScalarInfo scalar_info[] = {
    {"input", 0},  {"constant", 0}, {"add", 2},     {"sub", 2},      {"mul", 2},         {"div", 2},  {"neg", 1},
    {"abs", 1},    {"fma", 3},      {"scalb", 2},   {"exponent", 1}, {"significand", 1}, {"sqrt", 1}, {"floor", 1},
    {"ceil", 1},   {"trunc", 1},    {"nearest", 1}, {"lt", 2},       {"le", 2},          {"eq", 2},   {"ne", 2},
    {"and", 2},    {"or", 2},       {"xor", 2},     {"not", 1},      {"shl", 1},         {"shr", 1},  {"sar", 1},
    {"select", 3}, {"bitcast", 1},  {"convert", 1}};
static_assert(std::size(scalar_info) == static_cast<std::size_t>(ScalarOp::convert) + 1);
}  // namespace

std::string_view name_of(ScalarOp op) { return scalar_info[static_cast<int>(op)].name; }
int arity(ScalarOp op) { return scalar_info[static_cast<int>(op)].arity; }

std::string Formula::text() const {
  std::string out;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const Instruction& x = code[i];
    out += fmt::format("%{} = {} {}", i, name_of(x.op), name_of(x.type));
    const std::uint16_t operands[] = {x.a, x.b, x.c};
    for (int k = 0; k < arity(x.op); ++k) out += fmt::format(" %{}", operands[k]);
    if (x.op == ScalarOp::input) out += fmt::format(" {}", x.imm);
    if (x.op == ScalarOp::constant) out += fmt::format(" 0x{:x}", x.imm);
    if (x.op == ScalarOp::shl || x.op == ScalarOp::shr || x.op == ScalarOp::sar) out += fmt::format(" by {}", x.imm);
    out += i == result ? "  -> result\n" : "\n";
  }
  return out;
}

int Formula::flops() const {
  int n = 0;
  for (const Instruction& x : code) {
    if (x.type != f32 && x.type != f64) continue;
    if (x.op == ScalarOp::fma)
      n += 2;
    else if (x.op >= ScalarOp::add && x.op <= ScalarOp::nearest)
      n += 1;
  }
  return n;
}

detail::FormulaWriter*& detail::FormulaWriter::current() {
  thread_local FormulaWriter* writer = nullptr;
  return writer;
}

std::uint16_t detail::FormulaWriter::put(ScalarOp op, DType type, std::uint16_t a, std::uint16_t b, std::uint16_t c,
                                         std::uint64_t imm) {
  const Instruction next{op, type, a, b, c, imm};
  // The same instruction twice is one: formulas are short, a linear search from the end is quick.
  for (std::size_t i = formula.code.size(); i-- > 0;)
    if (formula.code[i] == next) return static_cast<std::uint16_t>(i);
  formula.code.push_back(next);
  return static_cast<std::uint16_t>(formula.code.size() - 1);
}

}  // namespace weft
