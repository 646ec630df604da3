#include "defs/cast.h"
#include "apply.h"
#include "recorder.h"

namespace weft {

Formula Cast::formula(const Attrs& attrs, Types in) {
  detail::FormulaWriter w;
  const DType from = compute_type(in[0]->dtype), to = compute_type(attrs.as<CastAttrs>().dtype);
  w.formula.result = w.put(ScalarOp::input, from);
  if (from != to) w.formula.result = w.put(ScalarOp::convert, to, w.formula.result);
  return std::move(w.formula);
}

Tensor cast(const Arg& x, DType dtype) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor(dtype);
  return t.defined() && t.dtype() == dtype ? t : apply<Cast>({t}, CastAttrs{dtype});
}

}  // namespace weft
