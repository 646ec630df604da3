#include "work.h"

namespace weft {

OpWork work_of(const Op& op, const Attrs& attrs, Types in, Types out) {
  if (op.work) return op.work(attrs, in, out);
  if (op.kind == OpKind::reduction) {
    const auto n = static_cast<double>(count(in[0]->shape));
    return {{.operations = n * registers(in[0]->dtype)}, is_floating(in[0]->dtype) ? n : 0};
  }
  if (op.kind != OpKind::elementwise) return {};
  const Formula formula = op.formula(attrs, in);
  const auto elements = static_cast<double>(count(out[0]->shape));
  OpWork work;
  for (const Instruction& i : formula.code) {
    if (i.op == ScalarOp::input || i.op == ScalarOp::constant || i.op == ScalarOp::bitcast) continue;
    const double issued = elements * registers(i.type);
    work.operations += issued;
    if (i.op == ScalarOp::mul || i.op == ScalarOp::fma || i.op == ScalarOp::scalb) work.products += issued;
    if (i.op == ScalarOp::div || i.op == ScalarOp::sqrt) work.divisions += issued;
  }
  work.flops = elements * formula.flops();
  return work;
}

}  // namespace weft
