#include "forward.h"

#include "math.h"

namespace weft {

Tensor Forward::tangent(int i) const {
  return has_tangent(i) ? tangents_[static_cast<std::size_t>(i)] : detail::zeros_like(in(i));
}

void Forward::give(int i, const Tensor& tangent) {
  if (!tangent.defined()) return;
  Tensor& sum = given_[static_cast<std::size_t>(i)];
  sum = sum.defined() ? sum + tangent : tangent;
}

}  // namespace weft
