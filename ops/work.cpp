#include "work.h"

namespace weft {

OpWork work_of(const Op& op, const Attrs& attrs, Types in, Types out) {
  if (op.work) return op.work(attrs, in, out);
  if (op.kind == OpKind::reduction) {
    const auto n = static_cast<double>(count(in[0]->shape));
    return {{n, 0, 0}, is_floating(in[0]->dtype) ? n : 0};
  }
  if (op.kind != OpKind::elementwise) return {};
  const Formula formula = op.formula(attrs, in);
  const auto elements = static_cast<double>(count(out[0]->shape));
  OpWork work;
  for (const Instruction& i : formula.code) {
    if (i.op == ScalarOp::input || i.op == ScalarOp::constant || i.op == ScalarOp::bitcast) continue;
    const double lanes = size_of(i.type) == 8 ? 2 * elements : elements;  // as many as f32 has in a register
    work.operations += lanes;
    if (i.op == ScalarOp::mul || i.op == ScalarOp::fma || i.op == ScalarOp::scalb) work.products += lanes;
    if (i.op == ScalarOp::div || i.op == ScalarOp::sqrt) work.divisions += lanes;
  }
  work.flops = elements * formula.flops();
  return work;
}

}  // namespace weft
