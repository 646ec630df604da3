#include "precision.h"

#include <fmt/format.h>

#include "../ops/apply.h"
#include "../ops/math.h"
#include "../ops/recorder.h"

namespace weft::nn {

PrecisionScope::PrecisionScope(DType precision, Site site) : previous_(context().precision) {
  weft::detail::called("PrecisionScope", site, [&] {
    if (compute_type(precision) != f32) throw DTypeError(fmt::format("{} is not f32, bf16 or f16", name_of(precision)));
  });
  context().precision = precision;
}

Tensor narrow(const Arg& x) {
  const Tensor t = x.tensor();
  return t.defined() ? cast(Arg(t, x.site()), narrowed(t.dtype())) : t;
}

Tensor widen(const Arg& x) {
  const Tensor t = x.tensor();
  return precision() != f32 && t.defined() && t.dtype() == precision() ? cast(Arg(t, x.site()), f32) : t;
}

}  // namespace weft::nn
