#include "formulas.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <sstream>

namespace weft::doc {
namespace {

std::string constant_text(const Instruction& i) {
  if (i.type == f32) return fmt::format("{}", std::bit_cast<float>(static_cast<std::uint32_t>(i.imm)));
  if (i.type == f64) return fmt::format("{}", std::bit_cast<double>(i.imm));
  if (i.type == DType::boolean) return i.imm ? "true" : "false";
  return fmt::format("{}", static_cast<std::int64_t>(i.imm));
}

std::string infix(const Formula& f, std::uint16_t at, const std::vector<std::string>& operands, bool outermost) {
  const Instruction& i = f.code[at];
  const auto part = [&](std::uint16_t k) { return infix(f, k, operands, false); };
  const auto binary = [&](const char* sign) {
    const std::string text = fmt::format("{} {} {}", part(i.a), sign, part(i.b));
    return outermost ? text : "(" + text + ")";
  };
  switch (i.op) {
    case ScalarOp::input: return operands[i.imm];
    case ScalarOp::constant: return constant_text(i);
    case ScalarOp::add: return binary("+");
    case ScalarOp::sub: return binary("-");
    case ScalarOp::mul: return binary("*");
    case ScalarOp::div: return binary("/");
    case ScalarOp::lt: return binary("<");
    case ScalarOp::le: return binary("<=");
    case ScalarOp::eq: return binary("=");
    case ScalarOp::ne: return binary("!=");
    case ScalarOp::bit_and: return binary("and");
    case ScalarOp::bit_or: return binary("or");
    case ScalarOp::bit_xor: return binary("xor");
    case ScalarOp::bit_not: return "not " + part(i.a);
    case ScalarOp::neg: return "-" + part(i.a);
    case ScalarOp::abs: return "|" + infix(f, i.a, operands, true) + "|";
    case ScalarOp::select: {
      const std::string text = fmt::format("{} ? {} : {}", part(i.a), part(i.b), part(i.c));
      return outermost ? text : "(" + text + ")";
    }
    case ScalarOp::fma: return fmt::format("fma({}, {}, {})", part(i.a), part(i.b), part(i.c));
    case ScalarOp::shl:
    case ScalarOp::shr:
    case ScalarOp::sar: return fmt::format("{}({}, {})", name_of(i.op), part(i.a), i.imm);
    case ScalarOp::convert: return fmt::format("{}({})", name_of(i.type), infix(f, i.a, operands, true));
    default: return fmt::format("{}({})", name_of(i.op), infix(f, i.a, operands, true));
  }
}

}  // namespace

std::vector<std::string> operand_names(const Op& op, std::size_t n) {
  if (n == 1) return {"x"};
  if (n == 2 && op.kind == OpKind::elementwise) return {"x", "y"};
  std::vector<std::string> names;
  std::istringstream given{std::string(op.operand_names)};
  for (std::string name; given >> name;) names.push_back(name);
  while (names.size() < n) names.push_back("in" + std::to_string(names.size()));
  return names;
}

std::string formula_of(const Op& op, const std::vector<test::OpSample>& samples) {
  if (op.kind == OpKind::reduction) return "reduction";
  if (op.kind == OpKind::view) return "view";
  if (op.kind == OpKind::kernel) return "kernel";
  Formula f;
  for (const test::OpSample& sample : samples) {  // the longest: one cast has something to do
    std::vector<const Type*> types;
    for (const Tensor& t : sample.in) types.push_back(&t.type());
    Formula other = op.formula(sample.attrs, types);
    if (other.code.size() > f.code.size()) f = std::move(other);
  }
  const auto works = [](const Instruction& i) { return i.op != ScalarOp::input && i.op != ScalarOp::constant; };
  const auto operations = std::ranges::count_if(f.code, works);
  if (operations > 8) return fmt::format("{} operations, {} flops", operations, f.flops());
  return "`" + infix(f, f.result, operand_names(op, samples[0].in.size()), true) + "`";
}

}  // namespace weft::doc
