#include "compose.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "apply.h"
#include "manipulate.h"
#include "math.h"
#include "recorder.h"

namespace weft {
namespace {

// Runs f on x in its compute type and rounds the result once; refuses what is not a float.
template <class F> Tensor in_compute_type(const char* name, const Arg& x, F f) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  const auto fail = [&](auto e) {
    e.locate(name, {describe_operand("in0", t)}, site_text(x.site()));
    throw e;
  };
  if (!t.defined()) fail(ArgumentError("operand 0 is undefined"));
  if (!is_floating(t.dtype()))
    fail(DTypeError(fmt::format("no meaning for {}", name_of(t.dtype())), "cast it to f32 or f64"));
  try {
    return cast(f(cast(t, compute_type(t.dtype()))), t.dtype());
  } catch (Error& e) {
    e.relocate(name, {describe_operand("in0", t)}, site_text(SiteScope::current()));
    throw;
  }
}

// How many elements of `shape` one result of a reduction over `axes` takes.
double reduced_count(const Shape& shape, const Axes& axes) {
  if (!axes.list) return static_cast<double>(count(shape));
  double n = 1;
  for (std::int64_t a : normal_axes(*axes.list, shape.size())) n *= static_cast<double>(shape[static_cast<int>(a)]);
  return n;
}

}  // namespace

Tensor mean(const Arg& x, const Axes& axes, bool keepdims) {
  return in_compute_type("mean", x,
                         [&](const Tensor& t) { return sum(t, axes, keepdims) / reduced_count(t.shape(), axes); });
}

Tensor var(const Arg& x, const Axes& axes, bool keepdims, double correction) {
  return in_compute_type("var", x, [&](const Tensor& t) {
    const double n = reduced_count(t.shape(), axes) - correction;
    return sum(square(t - mean(t, axes, true)), axes, keepdims) / std::max(n, 0.0);
  });
}

Tensor softmax(const Arg& x, std::int64_t axis) {
  return in_compute_type("softmax", x, [&](const Tensor& t) {
    const Tensor e = exp(t - stop_gradient(max(t, axis, true)));
    return e * reciprocal(sum(e, axis, true));  // one division a row
  });
}

Tensor log_softmax(const Arg& x, std::int64_t axis) {
  return in_compute_type("log_softmax", x, [&](const Tensor& t) {
    const Tensor shifted = t - stop_gradient(max(t, axis, true));
    return shifted - log(sum(exp(shifted), axis, true));
  });
}

Tensor logsumexp(const Arg& x, const Axes& axes, bool keepdims) {
  return in_compute_type("logsumexp", x, [&](const Tensor& t) {
    const Tensor m = stop_gradient(max(t, axes, true));
    const Tensor finite = where(abs(m) < INFINITY, m, 0);  // of all -inf: log(0) + 0, not NaN
    const Tensor r = log(sum(exp(t - finite), axes, true)) + finite;
    return keepdims ? r : axes.list ? squeeze(r, *axes.list) : reshape(r, {});
  });
}

Tensor relu(const Arg& x) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return where(t <= 0, 0, t);  // NaN is not <= 0: it stays
}

Tensor gelu(const Arg& x, bool approximate) {
  return in_compute_type("gelu", x, [&](const Tensor& t) {
    if (!approximate) return t * ((erf(t * (1 / std::numbers::sqrt2)) + 1) * 0.5);
    constexpr double scale = 0.7978845608028654;  // sqrt(2 / pi)
    return t * ((tanh((t + t * square(t) * 0.044715) * scale) + 1) * 0.5);
  });
}

Tensor silu(const Arg& x) {
  return in_compute_type("silu", x, [](const Tensor& t) { return t * sigmoid(t); });
}

Tensor softplus(const Arg& x) {
  // minimum gives ties to its first operand and relu has gradient 0 at 0: together that is sigmoid(x), also at 0.
  return in_compute_type("softplus", x, [](const Tensor& t) { return relu(t) + log1p(exp(minimum(t, -t))); });
}

Tensor clip(const Arg& x, double low, double high) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  if (!(low <= high)) {
    ArgumentError e(fmt::format("low {} is not <= high {}", low, high));
    e.locate("clip", {describe_operand("in0", t)}, site_text(x.site()));
    throw e;
  }
  return minimum(maximum(t, low), high);  // both give ties to x
}

Tensor norm(const Arg& x, const Axes& axes, bool keepdims) {
  return in_compute_type("norm", x, [&](const Tensor& t) {
    const Tensor s = sum(square(t), axes, keepdims);
    const Tensor zero = equal(s, 0);
    return where(zero, s, sqrt(where(zero, 1, s)));  // no division by 0 in the gradient; NaN goes through sqrt
  });
}

}  // namespace weft
