// Derivatives by differences, to hold those of transforms to.
#pragma once

#include <functional>

#include <weft/weft.h>

namespace weft::test {

using Function = std::function<Tensor(const Tensor&)>;

/// The derivative of f at x along d: a difference of the fourth order.
inline Tensor along(const Function& f, const Tensor& x, const Tensor& d, double h = 1e-3) {
  return (f(x - d * (2 * h)) - f(x - d * h) * 8 + f(x + d * h) * 8 - f(x + d * (2 * h))) / (12 * h);
}

}  // namespace weft::test
