#include "work.h"

#include <algorithm>
#include <vector>

namespace weft {
namespace {

// By which units of the CPU it is done. Moves of bits, choices, and sums of integers any of them can do.
void tally(Arithmetic& work, ScalarOp op, DType type, double issued) {
  switch (op) {
    case ScalarOp::mul:
    case ScalarOp::fma: work.products += issued; break;
    case ScalarOp::div: work.divisions += issued; break;
    case ScalarOp::sqrt: work.roots += issued; break;
    case ScalarOp::lt:
    case ScalarOp::le:
    case ScalarOp::eq:
    case ScalarOp::ne: work.comparisons += type == DType::boolean ? 0 : issued; break;
    case ScalarOp::add:
    case ScalarOp::sub: work.sums += is_floating(type) ? issued : 0; break;
    case ScalarOp::scalb:  // one instruction, with AVX-512
    case ScalarOp::exponent:
    case ScalarOp::significand:
    case ScalarOp::floor:  // and minima
    case ScalarOp::ceil:
    case ScalarOp::trunc:
    case ScalarOp::nearest:
    case ScalarOp::convert:
    case ScalarOp::shl:
    case ScalarOp::shr:
    case ScalarOp::sar: work.sums += issued; break;
    default: break;
  }
  work.operations += issued;
}

// a < b ? a : b, or its like: one instruction with its comparison.
bool is_minimum(const Formula& formula, const Instruction& i) {
  const Instruction& test = formula.code[i.a];
  return i.op == ScalarOp::select && test.op == ScalarOp::lt && is_floating(test.type) &&
         ((test.a == i.b && test.b == i.c) || (test.a == i.c && test.b == i.b));
}

// What is read otherwise than as the comparison of a minimum.
std::vector<bool> computed_alone(const Formula& formula) {
  std::vector<bool> computed(formula.code.size());
  computed[formula.result] = true;
  for (const Instruction& i : formula.code) {
    const std::uint16_t operands[] = {i.a, i.b, i.c};
    for (int k = is_minimum(formula, i) ? 1 : 0; k < arity(i.op); ++k) computed[operands[k]] = true;
  }
  return computed;
}

}  // namespace

OpWork work_of(const Op& op, const Attrs& attrs, Types in, Types out) {
  if (op.work) return op.work(attrs, in, out);
  if (op.kind == OpKind::reduction) {
    const auto n = static_cast<double>(count(in[0]->shape));
    return {{.operations = n * registers(in[0]->dtype)}, is_floating(in[0]->dtype) ? n : 0};
  }
  if (op.kind != OpKind::elementwise) return {};
  const Formula formula = op.formula(attrs, in);
  const std::vector<bool> computed = computed_alone(formula);
  const auto elements = static_cast<double>(count(out[0]->shape));
  OpWork work;
  for (std::size_t n = 0; n < formula.code.size(); ++n) {
    const Instruction& i = formula.code[n];
    if (!computed[n] || arity(i.op) == 0 || i.op == ScalarOp::bitcast) continue;
    const double from = i.op == ScalarOp::convert ? registers(result_type(formula.code[i.a])) : 1;
    const double issued = elements * std::max(registers(i.type), from);
    tally(work, is_minimum(formula, i) ? ScalarOp::floor : i.op, i.type, issued);
  }
  work.flops = elements * formula.flops();
  return work;
}

}  // namespace weft
