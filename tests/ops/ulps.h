// Errors in units of the last place, of any format of floats; and how far an op of bf16 or f16 is off.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <weft/ops/apply.h>
#include <weft/ops/math.h>
#include <weft/tensor/create.h>

#include "true_values.h"

namespace weft::test {

struct FloatFormat {
  int digits, min_exponent, max_exponent;
};
template <class T> inline constexpr FloatFormat format_of{
    std::numeric_limits<T>::digits, std::numeric_limits<T>::min_exponent, std::numeric_limits<T>::max_exponent};
inline constexpr FloatFormat bf16_format{8, -125, 128}, f16_format{11, -13, 16};

/// The distance in units of the last place at `want`; infinite if one is NaN, or the signs differ.
template <class Real> double ulps(Real got, Real want, const FloatFormat& f) {
  if (want != want || got != got) return want != want && got != got ? 0 : INFINITY;
  if (std::signbit(got) != std::signbit(want)) return INFINITY;
  const Real limit = std::ldexp(Real(1), f.max_exponent);  // an infinity stands for the number after the largest
  const Real a = std::isinf(got) ? limit : std::fabs(got), b = std::fmin(std::fabs(want), limit);
  int exponent = f.min_exponent;
  if (b != 0) std::frexp(b, &exponent);
  exponent = std::min(std::max(exponent, f.min_exponent), f.max_exponent);
  return static_cast<double>(std::ldexp(std::fabs(a - b), f.digits - exponent));
}

/// All numbers of a format that a float holds, infinities, and a NaN.
inline std::vector<float> all_numbers(const FloatFormat& f) {
  std::vector<float> r = {0, INFINITY};
  const int fractions = 1 << (f.digits - 1);
  for (int m = 1; m < fractions; ++m) r.push_back(std::ldexp(static_cast<float>(m), f.min_exponent - f.digits));
  for (int e = f.min_exponent; e <= f.max_exponent; ++e)
    for (int m = fractions; m < 2 * fractions; ++m) r.push_back(std::ldexp(static_cast<float>(m), e - f.digits));
  for (std::size_t i = 0, n = r.size(); i < n; ++i) r.push_back(-r[i]);
  r.push_back(NAN);
  return r;
}

/// The largest error of an elementwise op of bf16 or f16 where true_values.h promises one: of all inputs, or, of two
/// operands, of each number with some others.
template <class Struct, int operands> double narrow_error(DType type) {
  const FloatFormat& format = type == DType::bf16 ? bf16_format : f16_format;
  const TrueValue<double>& value = true_values<double>().at(Struct::name);
  std::mt19937_64 generator(1);
  std::vector<float> x = all_numbers(format), y = x;
  double worst = 0;
  for (int turn = 0; turn < (operands == 2 ? 3 : 1); ++turn) {
    std::shuffle(y.begin(), y.end(), generator);
    std::vector<Tensor> in = {cast(from_vector(x), type)};
    if (operands == 2) in.push_back(cast(from_vector(y), type));
    const std::vector<float> got = cast(apply(op_of<Struct>(), {}, in), f32).template to_vector<float>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double a = x[i], b = operands == 2 ? y[i] : 0.0;
      if (!value.promised || value.promised(a, b)) worst = std::max(worst, ulps<double>(got[i], value.f(a, b), format));
    }
  }
  return worst;
}

/// What is promised of them: they compute in f32 and round once.
inline double narrow_bound(const TrueValue<double>& value) { return value.f32 == 0 ? 0 : 0.501; }

}  // namespace weft::test
