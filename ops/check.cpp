#include "check.h"

#include <fmt/format.h>

#include <cmath>

#include "apply.h"
#include "defs/check.h"
#include "recorder.h"

namespace weft {

void AssertFinite::infer(const Attrs&, Types in, std::span<Type> out) {
  if (!is_floating(in[0]->dtype))
    throw DTypeError(fmt::format("no meaning for {}", name_of(in[0]->dtype)), "integers are finite");
  out[0] = *in[0];
}

void AssertFinite::run(const Attrs&, Views in, Views out) {
  copy_elements(in[0], out[0]);
  std::int64_t first = -1, bad = 0;
  double value = 0;
  const std::int64_t n = count(out[0].shape);
  visit_dtype(out[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* x = out[0].as<T>();
    for (std::int64_t i = 0; i < n; ++i) {
      if (std::isfinite(static_cast<double>(x[i]))) continue;
      if (bad++ == 0) {
        first = i;
        value = static_cast<double>(x[i]);
        if (std::isnan(value)) value = std::abs(value);  // its sign says nothing
      }
    }
  });
  if (bad == 0) return;
  Ints at = out[0].shape;
  for (int i = at.size(); i-- > 0;) {
    at[i] = first % out[0].shape[i];
    first /= out[0].shape[i];
  }
  throw NumericsError(fmt::format("{} of {} elements are not finite; the first is {} at {}", bad, n, value, at.text()));
}

Tensor assert_finite(const Arg& x) {
  const SiteScope scope(x.site());
  return apply<AssertFinite>({x.tensor()});
}

}  // namespace weft
