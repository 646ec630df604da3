// The true value of every elementwise op, over any type of real numbers R: long double in the tests, MPFR's in
// tools/accuracy/. The only list beside the table of ops.
#pragma once

#include <cmath>
#include <concepts>
#include <map>
#include <string_view>

namespace weft::test {

/// The value, and how many ulp the op may be off; 0.5 is correctly rounded, a little more where R rounds first. Where
/// `promised` is false the error is measured but not bounded.
template <class R> struct TrueValue {
  R (*f)(R x, R y);
  double f32 = 2, f64 = 2;
  bool (*promised)(R x, R y) = nullptr;
  const char* domain = "";
};

// What C++ has not, or not well enough.

/// By the asymptotic series, for negative numbers by reflection; below 20 as what it is off its positive zero, by that
/// of 20 terms of the recurrence, so that it is accurate there.
template <std::floating_point R> R digamma(R x) {
  if (x == 0) return std::copysign(R(INFINITY), -x);
  if (x < 0) {
    const R turns = x - std::nearbyint(x), pi = std::acos(R(-1));
    return turns == 0 ? R(NAN) : digamma(1 - x) - pi / std::tan(pi * turns);
  }
  const auto below_log = [](R y) {
    const R u = 1 / (y * y),
            b[] = {R(1) / 12, R(-1) / 120, R(1) / 252, R(-1) / 240, R(1) / 132, R(-691) / 32760, R(1) / 12};
    R series = 0;
    for (int k = 6; k >= 0; --k) series = (series + b[k]) * u;
    return R(0.5) / y + series;
  };
  if (!(x < 20)) return std::log(x) - below_log(x);
  const R zero = R(0x1.762d86356be3fp0L), off = (x - zero) - R(0x1.b86a722197829p-54L);
  R sum = std::log1p(off / (zero + 20)) - (below_log(x + 20) - below_log(zero + 20));
  for (int k = 19; k >= 0; --k) sum += off / ((x + R(k)) * (zero + R(k)));
  return sum;
}

/// The modified Bessel function of order v, 0 or 1, by its series.
template <class R> R bessel(R x, int v) {
  using std::abs;
  const R z = R(0.25) * x * x;
  R term = v ? R(0.5) * x : R(1), sum = term;
  if (abs(x) > R(800)) return v ? x * R(INFINITY) : R(INFINITY);
  for (int k = 1; !(abs(term) < abs(sum) * R(0x1p-100)) && term != R(0) && abs(term) < R(INFINITY); ++k) {
    term = term * z / R(k * (k + v));
    sum = sum + term;
  }
  return sum;
}

/// By Newton's method, from Winitzki's formula.
template <class R> R inverse_erf(R x) {
  using std::abs, std::copysign, std::erf, std::erfc, std::exp;
  const R a = abs(x);
  if (!(a < R(1))) return a == R(1) ? x * R(INFINITY) : x - x == x - x ? (x - x) / (x - x) : x - x;
  const double d = static_cast<double>(static_cast<long double>(a)),
               rest = static_cast<double>(static_cast<long double>(R(1) - a));
  const double l = std::log(rest * (1 + d)) / 2, k = 4.33 + l;
  R y = d < 1e-3 ? a * R(0.886226925452758L) : R(std::sqrt(std::sqrt(k * k - 2 * l / 0.147) - k));
  for (int i = 0; i < 6; ++i) {
    const R error = a < R(0.5) ? erf(y) - a : (R(1) - a) - erfc(y);
    y = y - error * exp(y * y) * R(0.88622692545275801364908374167057259L);
  }
  return copysign(y, x);
}

template <class R> const std::map<std::string_view, TrueValue<R>>& true_values() {
  // Of another R they are found beside it.
  using std::abs, std::floor, std::ceil, std::trunc, std::nearbyint, std::sqrt, std::signbit, std::copysign, std::fmod;
  using std::exp, std::exp2, std::expm1, std::log, std::log2, std::log10, std::log1p, std::pow, std::hypot;
  using std::lgamma, std::sinh, std::cosh, std::tanh, std::asinh, std::acosh, std::atanh;
  using std::sin, std::cos, std::tan, std::asin, std::acos, std::atan, std::atan2, std::erf, std::erfc;
  static const auto infinite = [](R x) { return x == x && x - x != x - x; };
  static const auto same = [](R x, R) { return x; };
  static const auto larger = [](R x, R y) { return x >= y || x != x ? x : y; };
  static const auto log_add_exp = [](R x, R y) {
    return x == y && infinite(x) ? x : larger(x, y) + log1p(exp(-abs(x - y)));
  };
  static const std::map<std::string_view, TrueValue<R>> values = {
      {"neg", {[](R x, R) { return -x; }, 0.5, 0.5}},
      {"abs", {[](R x, R) { return abs(x); }, 0.5, 0.5}},
      {"sign", {[](R x, R) { return x > R(0)   ? R(1)
                                    : x < R(0) ? R(-1)
                                               : x; }, 0.5, 0.5}},
      {"exp", {[](R x, R) { return exp(x); }, 1, 1}},
      {"exp2", {[](R x, R) { return exp2(x); }, 1, 1}},
      {"expm1", {[](R x, R) { return expm1(x); }}},
      {"log", {[](R x, R) { return log(x); }, 1, 1}},
      {"log2", {[](R x, R) { return log2(x); }}},
      {"log10", {[](R x, R) { return log10(x); }}},
      {"log1p", {[](R x, R) { return log1p(x); }}},
      {"sqrt", {[](R x, R) { return sqrt(x); }, 0.501, 0.501}},
      {"rsqrt", {[](R x, R) { return R(1) / sqrt(x); }}},
      {"square", {[](R x, R) { return x * x; }, 0.501, 0.501}},
      {"sin", {[](R x, R) { return sin(x); }}},
      {"cos", {[](R x, R) { return cos(x); }}},
      {"tan", {[](R x, R) { return tan(x); }}},
      {"asin", {[](R x, R) { return asin(x); }}},
      {"acos", {[](R x, R) { return acos(x); }}},
      {"atan", {[](R x, R) { return atan(x); }}},
      {"sinh", {[](R x, R) { return sinh(x); }}},
      {"cosh", {[](R x, R) { return cosh(x); }}},
      {"tanh", {[](R x, R) { return tanh(x); }, 1, 1}},
      {"asinh", {[](R x, R) { return asinh(x); }}},
      {"acosh", {[](R x, R) { return acosh(x); }}},
      {"atanh", {[](R x, R) { return atanh(x); }}},
      {"sigmoid", {[](R x, R) { return x < R(0) ? exp(x) / (R(1) + exp(x)) : R(1) / (R(1) + exp(-x)); }, 1, 1}},
      {"erf", {[](R x, R) { return erf(x); }, 1}},
      {"erfc", {[](R x, R) { return erfc(x); }}},
      {"floor", {[](R x, R) { return floor(x); }, 0.5, 0.5}},
      {"ceil", {[](R x, R) { return ceil(x); }, 0.5, 0.5}},
      {"round", {[](R x, R) { return nearbyint(x); }, 0.5, 0.5}},
      {"trunc", {[](R x, R) { return trunc(x); }, 0.5, 0.5}},
      {"reciprocal", {[](R x, R) { return R(1) / x; }, 0.501, 0.501}},
      {"identity", {same, 0.5, 0.5}},
      {"stop_gradient", {same, 0.5, 0.5}},
      {"add", {[](R x, R y) { return x + y; }, 0.501, 0.501}},
      {"sub", {[](R x, R y) { return x - y; }, 0.501, 0.501}},
      {"mul", {[](R x, R y) { return x * y; }, 0.501, 0.501}},
      {"div", {[](R x, R y) { return x / y; }, 0.501, 0.501}},
      {"pow", {[](R x, R y) { return pow(x, y); }}},
      {"maximum", {larger, 0.5, 0.5}},
      {"minimum", {[](R x, R y) { return x <= y || x != x ? x : y; }, 0.5, 0.5}},
      {"fmax", {[](R x, R y) { return x >= y || y != y ? x : y; }, 0.5, 0.5}},
      {"fmin", {[](R x, R y) { return x <= y || y != y ? x : y; }, 0.5, 0.5}},
      {"atan2", {[](R x, R y) { return atan2(x, y); }}},
      {"hypot", {[](R x, R y) { return hypot(x, y); }}},
      {"xlogy", {[](R x, R y) { return x == R(0) && y == y ? R(0) : x * log(y); }}},
      {"logaddexp",
       {log_add_exp, 2, 2, [](R x, R y) { return !(abs(log_add_exp(x, y)) < abs(larger(x, y)) / R(4)); },
        "but where the result is less than 1/4 of the larger operand, which is in (-1, 0)"}},
      {"remainder",
       {[](R x, R y) {
          const R r = fmod(x, y);
          return copysign(r != R(0) && (r < R(0)) != (y < R(0)) ? r + y : r, r == r ? y : r);
        },
        0.501, 0.501}},
      {"fmod", {[](R x, R y) { return fmod(x, y); }, 0.5, 0.5}},
      {"floor_divide",
       {[](R x, R y) {
          if (y == R(0)) return x / y;
          const R r = fmod(x, y), q = nearbyint((x - r) / y);
          return r != R(0) && (r < R(0)) != (y < R(0)) ? q - R(1) : copysign(q, x / y);
        },
        0.501, 0.501}},
      {"copysign", {[](R x, R y) { return copysign(x, y); }, 0.5, 0.5}},
      {"lgamma",
       {[](R x, R) { return lgamma(x); }, 2, 2,
        [](R x, R) { return !(x < R(-2) && abs(lgamma(x)) < lgamma(R(1) - x) / R(4)); },
        "but x < -2 with \\|lgamma(x)\\| < lgamma(1 - x) / 4"}},
      {"digamma",
       {[](R x, R) { return digamma(x); }, 2, 2,
        [](R x, R) { return !(x < R(0) && abs(digamma(x)) < digamma(R(1) - x) / R(2)); },
        "but x < 0 with \\|digamma(x)\\| < digamma(1 - x) / 2"}},
      {"erfinv", {[](R x, R) { return inverse_erf(x); }}},
      {"i0", {[](R x, R) { return bessel(x, 0); }}},
      {"i1", {[](R x, R) { return bessel(x, 1); }}},
      {"equal", {[](R x, R y) { return R(x == y); }, 0, 0}},
      {"not_equal", {[](R x, R y) { return R(x != y); }, 0, 0}},
      {"less", {[](R x, R y) { return R(x < y); }, 0, 0}},
      {"less_equal", {[](R x, R y) { return R(x <= y); }, 0, 0}},
      {"greater", {[](R x, R y) { return R(x > y); }, 0, 0}},
      {"greater_equal", {[](R x, R y) { return R(x >= y); }, 0, 0}},
      {"isnan", {[](R x, R) { return R(x != x); }, 0, 0}},
      {"isinf", {[](R x, R) { return R(infinite(x)); }, 0, 0}},
      {"isfinite", {[](R x, R) { return R(x - x == x - x); }, 0, 0}},
      {"signbit", {[](R x, R) { return R(signbit(x)); }, 0, 0}},
  };
  return values;
}

}  // namespace weft::test
