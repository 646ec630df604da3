#include "activations.h"

#include <fmt/format.h>

#include <numbers>

#include "in_compute_type.h"
#include "manipulate.h"

namespace weft {

using detail::composed;
using detail::in_compute_type;

Tensor relu(const Arg& x) {
  return composed("relu", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    return where(t <= 0, 0, t);  // NaN is not <= 0: it stays
  });
}

Tensor relu6(const Arg& x) {
  return composed("relu6", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const Tensor below = t <= 0;  // first, because it refuses bools
    return where(below, 0, where(t >= 6, 6, t));
  });
}

Tensor leaky_relu(const Arg& x, double slope) {
  return in_compute_type("leaky_relu", x, [&](const Tensor& t) {
    if (slope != slope) throw ArgumentError("slope is NaN");
    return where(t > 0, t, t * slope);
  });
}

Tensor prelu(const Arg& x, const Arg& weight) {
  return in_compute_type("prelu", {{"x       ", x}, {"weight  ", weight}}, [](const Tensor& t, const Tensor& w) {
    if (w.rank() > 1 || (w.size() != 1 && (t.rank() < 2 || w.size() != t.shape()[1])))
      throw ShapeError(fmt::format("weight is {}, neither one element nor one for each entry of axis 1 of {}",
                                   w.shape().text(), t.shape().text()));
    Shape channels;  // [C, 1, 1, ...]
    if (w.size() != 1) {
      channels.push_back(w.size());
      for (int axis = 2; axis < t.rank(); ++axis) channels.push_back(1);
    }
    return where(t > 0, t, t * reshape(w, channels));
  });
}

// Where x > 0 the exponential is of 0; minimum gives its tie at 0 to x.
Tensor elu(const Arg& x, double alpha) {
  return in_compute_type("elu", x, [&](const Tensor& t) {
    if (alpha != alpha) throw ArgumentError("alpha is NaN");
    return where(t > 0, t, expm1(minimum(t, 0)) * alpha);
  });
}

Tensor selu(const Arg& x) {
  constexpr double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
  return in_compute_type(
      "selu", x, [](const Tensor& t) { return where(t > 0, t * scale, expm1(minimum(t, 0)) * (scale * alpha)); });
}

Tensor celu(const Arg& x, double alpha) {
  return in_compute_type("celu", x, [&](const Tensor& t) {
    if (alpha == 0 || alpha != alpha) throw ArgumentError(fmt::format("alpha is {}", alpha));
    return where(t > 0, t, expm1(minimum(t, 0) / alpha) * alpha);
  });
}

// Phi(x) by erfc and by sigmoid, not as 1 + erf or 1 + tanh, of which nothing is left for x < 0.
Tensor gelu(const Arg& x, Flag approximate) {
  return in_compute_type("gelu", x, [&](const Tensor& t) {
    if (!approximate) return t * (erfc(t * -(1 / std::numbers::sqrt2)) * 0.5);
    constexpr double scale = 2 * 0.7978845608028654;  // 2 sqrt(2 / pi): (1 + tanh(u)) / 2 = sigmoid(2 u)
    return t * sigmoid((t + t * square(t) * 0.044715) * scale);
  });
}

Tensor silu(const Arg& x) {
  return in_compute_type("silu", x, [](const Tensor& t) { return t * sigmoid(t); });
}

Tensor mish(const Arg& x) {
  return in_compute_type("mish", x, [](const Tensor& t) { return t * tanh(softplus(t)); });
}

Tensor softplus(const Arg& x) {
  // minimum gives ties to its first operand and relu has gradient 0 at 0: together that is sigmoid(x), also at 0.
  return in_compute_type("softplus", x, [](const Tensor& t) { return relu(t) + log1p(exp(minimum(t, -t))); });
}

Tensor softsign(const Arg& x) {
  return in_compute_type("softsign", x, [](const Tensor& t) { return t / (abs(t) + 1); });
}

Tensor log_sigmoid(const Arg& x) {
  return in_compute_type("log_sigmoid", x, [](const Tensor& t) { return -softplus(-t); });
}

Tensor hard_sigmoid(const Arg& x) {
  return in_compute_type("hard_sigmoid", x, [](const Tensor& t) { return relu6(t + 3) / 6; });
}

Tensor hard_swish(const Arg& x) {
  return in_compute_type("hard_swish", x, [](const Tensor& t) { return t * (relu6(t + 3) / 6); });
}

Tensor glu(const Arg& x, Axis axis) {
  return in_compute_type("glu", x, [&](const Tensor& t) {
    const auto along = static_cast<int>(normal_axes({axis}, t.rank())[0]);
    const std::int64_t n = t.shape()[along];
    if (n % 2 != 0) throw ShapeError(fmt::format("axis {} of {} is no two halves", axis, t.shape().text()));
    return slice_axis(t, along, 0, n / 2) * sigmoid(slice_axis(t, along, n / 2, n));
  });
}

}  // namespace weft
