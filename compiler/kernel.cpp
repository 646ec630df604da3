#include "kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace weft {
namespace {

std::string_view name_of(ColumnStep step) {
  constexpr std::string_view names[] = {"contiguous", "fixed", "strided", "repeated"};
  return names[static_cast<int>(step)];
}

// Fields that the operation does not read stand behind a '!', so that kernels that differ only there differ in text.
std::string text_of(const KernelInstruction& i) {
  const Instruction& s = i.scalar;
  const bool is_input = s.op == ScalarOp::input;
  std::string line;
  if (i.reduced >= 0 && is_input) {
    line.append("reduced ").append(name_of(s.type)).append(" r").append(std::to_string(i.reduced));
  } else {
    line.append(name_of(s.op)).append(" ").append(name_of(s.type));
    if (is_input) line.append(" @").append(std::to_string(s.imm));
  }
  const std::array<std::uint16_t, 3> uses = {s.a, s.b, s.c};
  for (int k = 0; k < 3; ++k) {
    if (k < arity(s.op))
      line.append(" %").append(std::to_string(uses[k]));
    else if (uses[k])
      line.append(" !").append(std::string(1, "abc"[k])).append(std::to_string(uses[k]));
  }
  if ((!is_input && s.imm) || s.op == ScalarOp::constant || (is_input && i.reduced >= 0 && s.imm))
    fmt::format_to(std::back_inserter(line), " #{:#x}", s.imm);
  if (i.reduced != -1 && !(is_input && i.reduced >= 0)) line.append(" !r").append(std::to_string(i.reduced));
  line.append(i.full ? ", full" : ", row").append(" at ").append(std::to_string(i.level));
  if (i.kept) line.append(", kept");
  return line;
}

}  // namespace

std::string Kernel::text() const {
  std::string s = "cols " + (small_cols ? std::to_string(small_cols) : "any") + (busy ? " busy" : "");
  s.append(interleaved ? " interleaved\n" : "\n");
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const KernelOperand& o = operands[i];
    s.append("@").append(std::to_string(i)).append(o.output ? " out " : " in ").append(name_of(o.dtype));
    s.append(" ").append(name_of(o.step)).append(o.past_caches ? " past caches\n" : "\n");
  }
  for (std::size_t i = 0; i < code.size(); ++i)
    s.append("%").append(std::to_string(i)).append(" = ").append(text_of(code[i])).append("\n");
  for (std::size_t i = 0; i < reductions.size(); ++i) {
    const KernelReduction& r = reductions[i];
    s.append("r").append(std::to_string(i)).append(" = ").append(name_of(r.op)).append(" ").append(name_of(r.dtype));
    s.append(" %").append(std::to_string(r.value)).append(r.column ? " columns" : " row");
    if (r.column || r.operand) s.append(" @").append(std::to_string(r.operand));
    s.append("\n");
  }
  for (const KernelStore& st : stores)
    s.append("store %").append(std::to_string(st.value)).append(" @").append(std::to_string(st.operand)).append("\n");
  return s;
}

std::size_t kept_bytes(DType type, std::int64_t cols) {
  return (static_cast<std::size_t>(cols + 32) * size_of(type) + 63) / 64 * 64;
}

std::int64_t longest_of(const Kernel& kernel, std::int64_t rows) {
  constexpr std::size_t first_cache = 32 << 10;
  std::size_t column = 0;
  for (const KernelOperand& o : kernel.operands)
    if (o.step != ColumnStep::fixed && o.step != ColumnStep::repeated) column += size_of(o.dtype);
  for (const KernelInstruction& i : kernel.code)
    if (i.kept) column += size_of(value_type(i));
  return static_cast<std::int64_t>(first_cache / std::max<std::size_t>(column, 1)) / rows;
}

std::int64_t rows_at_once(const Kernel& kernel, std::int64_t cols) {
  if (kernel.interleaved) return 1;
  std::int64_t rows = most_rows_at_once;
  while (rows > 1 && cols > longest_of(kernel, rows)) rows /= 2;
  return rows;
}

std::size_t scratch_bytes(const Kernel& kernel, std::int64_t cols) {
  std::size_t bytes = 0;
  for (const KernelInstruction& i : kernel.code)
    if (i.kept) bytes += kept_bytes(value_type(i), kernel.interleaved ? cols * most_lanes : cols);
  return bytes * static_cast<std::size_t>(rows_at_once(kernel, cols));
}

}  // namespace weft
