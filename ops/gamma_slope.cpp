#include "gamma_slope.h"

#include <cmath>
#include <limits>

#include "../tensor/parallel.h"
#include "apply.h"
#include "backward.h"
#include "batching.h"
#include "define.h"

namespace weft {
namespace {

constexpr double epsilon = 0x1p-53;

// The derivative of lgamma at x > 0: by its recurrence to 10 and beyond, then its asymptotic series (DLMF 5.11.2).
double digamma_of(double x) {
  double sum = 0;
  for (; x < 10; ++x) sum -= 1 / x;
  const double y = 1 / (x * x);
  const double series =
      y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760))))));
  return sum + std::log(x) - 0.5 / x - series;
}

// A value and its derivative with respect to a.
struct Dual {
  double value, slope;
};
Dual reciprocal(const Dual& x) { return {1 / x.value, -x.slope / (x.value * x.value)}; }
Dual operator*(const Dual& x, const Dual& y) { return {x.value * y.value, x.slope * y.value + x.value * y.slope}; }
Dual operator+(const Dual& x, const Dual& y) { return {x.value + y.value, x.slope + y.slope}; }

// P = x^a e^-x / gamma(a + 1) S, S = sum over k of x^k / ((a + 1) ... (a + k)) (DLMF 8.7.1). For x < a + 1 all that is
// added up has one sign.
double by_series(double a, double x) {
  Dual sum{1, 0};
  double term = 1, harmonic = 0;
  for (double k = 1;; ++k) {
    term *= x / (a + k);
    harmonic += 1 / (a + k);
    sum = sum + Dual{term, -term * harmonic};
    if (term * (1 + harmonic) * (a + k + 1) < epsilon * sum.value * (a + k + 1 - x)) break;  // what is left is less
  }
  return -x / a * (sum.value * (std::log(x) - digamma_of(a + 1)) + sum.slope);
}

// 1 - P = x^a e^-x / gamma(a) F, F = 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)) (DLMF 8.9.2), by Lentz' method.
double by_fraction(double a, double x) {
  Dual b{x + 1 - a, -1}, d = reciprocal(b), c{1e300, 0}, f = d;
  for (double i = 1; i < 1e6; ++i) {
    const Dual numerator{i * (a - i), i};
    b.value += 2;
    d = reciprocal(numerator * d + b);
    c = b + numerator * reciprocal(c);
    const Dual step = c * d;
    f = f * step;
    if (std::abs(step.value - 1) < 4 * epsilon && std::abs(step.slope) * f.value < 4 * epsilon * std::abs(f.slope))
      break;
  }
  return x * (f.value * (std::log(x) - digamma_of(a)) + f.slope);
}

// The quantile's expansion in 1 / sqrt(a) for a normal deviate z (Cornish and Fisher; Goldberg and Levine 1946 for
// chi-square, of 2a degrees), solved for z, and its derivative. Left out is 1e-12 and less.
double by_expansion(double a, double x) {
  const double s = std::sqrt(a);
  double z = (x - a) / s;
  for (int i = 0; i < 4; ++i) {
    const double z2 = z * z, z3 = z2 * z;
    const double at = a + s * z + (z2 - 1) / 3 + (z3 - 7 * z) / (36 * s) - (3 * z2 * z2 + 7 * z2 - 16) / (810 * a) +
                      (9 * z2 * z3 + 256 * z3 - 433 * z) / (38880 * a * s);
    z -= (at - x) / (s + z * 2 / 3 + (3 * z2 - 7) / (36 * s));
  }
  const double z2 = z * z, z3 = z2 * z;
  return 1 + z / (2 * s) - (z3 - 7 * z) / (72 * a * s) + (3 * z2 * z2 + 7 * z2 - 16) / (810 * a * a) -
         (9 * z2 * z3 + 256 * z3 - 433 * z) / (25920 * a * a * s);
}

double slope_of(double a, double x) {
  if (!(a > 0 && x >= 0) || std::isinf(a) || std::isinf(x)) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return 0;
  if (a > 1e5) return by_expansion(a, x);
  return x < a + 1 ? by_series(a, x) : by_fraction(a, x);
}

// No op of the table: there are no second derivatives to check, and nothing calls it but a gradient rule.
struct GammaSlope {
  static constexpr auto name = "gamma_slope";
  static constexpr auto operand_names = "concentration draws";
  static constexpr OpKind kind = OpKind::kernel;

  static void infer(const Attrs&, Types in, std::span<Type> out) {
    if (*in[0] != *in[1] || (in[0]->dtype != f32 && in[0]->dtype != f64))
      throw DTypeError("concentrations and draws are of one type, f32 or f64");
    out[0] = *in[0];
  }
  static void run(const Attrs&, Views in, Views out) {
    Storage copies[2];
    const std::byte* const operands[] = {detail::in_order(in[0], copies[0]), detail::in_order(in[1], copies[1])};
    const auto fill = [&](auto zero) {
      using T = decltype(zero);
      const T *const a = reinterpret_cast<const T*>(operands[0]), *const x = reinterpret_cast<const T*>(operands[1]);
      T* const y = out[0].as<T>();
      constexpr std::int64_t task = 512;
      const std::int64_t n = count(out[0].shape);
      parallel_for((n + task - 1) / task, num_threads(), [&](std::int64_t t) {
        for (std::int64_t i = t * task; i < std::min(n, (t + 1) * task); ++i)
          y[i] = static_cast<T>(slope_of(static_cast<double>(a[i]), static_cast<double>(x[i])));
      });
    };
    if (out[0].dtype == f32)
      fill(float{});
    else
      fill(double{});
  }
  static void vjp(Backward&) {
    throw GradError("a gamma number has no second derivative for its concentration",
                    "one derivative is there; stop_gradient it if that is meant to be a constant");
  }
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::GammaSlope);

namespace weft {

Tensor gamma_slope(const Tensor& concentration, const Tensor& draws) {
  return apply<GammaSlope>({concentration, draws});
}

}  // namespace weft
