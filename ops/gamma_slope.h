// How a gamma number moves with its concentration: implicit reparameterisation, Figurnov, Mohamed and Mnih, NeurIPS
// 2018.
#pragma once

#include "../tensor/tensor.h"

namespace weft {

/// dx/da = -(dP/da) / (dP/dx) for draws x of concentrations a, of one type, f32 or f64: along the quantile, where
/// P(a, x), the regularised lower incomplete gamma function, stays as it is. In f64 within 1e-11, relative. 0 at x = 0;
/// NaN unless 0 < a < inf and 0 <= x < inf. GradError where a gradient of it is asked for.
Tensor gamma_slope(const Tensor& concentration, const Tensor& draws);

}  // namespace weft
