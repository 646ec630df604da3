#include "substitute.h"

#include <fmt/format.h>

#include "../ops/apply.h"

namespace weft {

SubstituteScope::SubstituteScope(const Gradients& values, Site site) : substitutes_{detail::substitutes, {}} {
  detail::called("SubstituteScope", site, [&] {
    for (const auto& [variable, value] : values) {
      if (!value.defined()) continue;
      const auto fail = [&, &v = variable, &t = value](auto error) {
        error.locate({}, {describe_operand("variable  ", v->value), describe_operand("value     ", t)}, "");
        throw error;
      };
      if (value.dtype() != variable->type.dtype) fail(DTypeError("the dtypes differ"));
      if (value.shape() != variable->type.shape) fail(ShapeError("the shapes differ"));
      substitutes_.values.emplace(variable.get(), value);
    }
  });
  detail::substitutes = &substitutes_;
}

SubstituteScope::~SubstituteScope() { detail::substitutes = substitutes_.outer; }

}  // namespace weft
