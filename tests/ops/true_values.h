// The true value of every elementwise op, over any type of real numbers R: long double in the tests, MPFR's in
// tools/accuracy.cpp. The only list beside the table of ops.
#pragma once

#include <cmath>
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

template <class R> const std::map<std::string_view, TrueValue<R>>& true_values() {
  // Of another R they are found beside it.
  using std::abs, std::floor, std::ceil, std::trunc, std::nearbyint, std::sqrt, std::signbit, std::copysign, std::fmod;
  using std::exp, std::exp2, std::expm1, std::log, std::log2, std::log10, std::log1p, std::pow, std::hypot;
  using std::sin, std::cos, std::tan, std::asin, std::acos, std::atan, std::atan2, std::erf, std::erfc;
  using std::sinh, std::cosh, std::tanh, std::asinh, std::acosh, std::atanh;
  static const auto infinite = [](R x) { return x == x && x - x != x - x; };
  static const auto same = [](R x, R) { return x; };
  static const auto larger = [](R x, R y) { return x >= y || x != x ? x : y; };
  static const std::map<std::string_view, TrueValue<R>> values = {
      {"neg", {[](R x, R) { return -x; }, 0.5, 0.5}},
      {"abs", {[](R x, R) { return abs(x); }, 0.5, 0.5}},
      {"sign", {[](R x, R) { return x > R(0) ? R(1) : x < R(0) ? R(-1) : x; }, 0.5, 0.5}},
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
       {[](R x, R y) { return x == y && infinite(x) ? x : larger(x, y) + log1p(exp(-abs(x - y))); }, 2, 2,
        [](R x, R y) { return larger(x, y) >= R(0) || !(larger(x, y) > R(-1)); }, "a or b outside (-1, 0)"}},
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
