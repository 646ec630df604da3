// How far public functions are off, in roundings: those that act element by element against their true values over
// numbers of every exponent, others against themselves in f64.
#pragma once

#include "functions.h"
#include "ops/true_functions.h"
#include "ops/ulps.h"
#include "roundings.h"

namespace weft::test {

/// All of bf16 or f16; of f32 and f64 some of every exponent and sign, more of usual size, and those next to what
/// formulas begin or end at. As f64.
inline std::vector<double> numbers_of_every_size(DType type, int per_exponent) {
  std::vector<double> r = {0, -0.0, 1, -1, 2, -2, 3, -3, 6, -6, INFINITY, -INFINITY, NAN};
  if (type == DType::bf16 || type == DType::f16) {
    const std::vector<float> all = all_numbers(type == DType::bf16 ? bf16_format : f16_format);
    return {all.begin(), all.end()};
  }
  Random random;
  const FloatFormat format = type == f32 ? format_of<float> : format_of<double>;
  for (int e = format.min_exponent - format.digits; e <= format.max_exponent; ++e)
    for (int i = 0; i < 2 * per_exponent; ++i) r.push_back(std::ldexp(random.uniform(0.5, 1) * (i % 2 ? -1 : 1), e));
  for (const double width : {1e-3, 1.0, 4.0, 16.0, 110.0})
    for (int i = 0; i < 200 * per_exponent; ++i) r.push_back(random.uniform(-width, width));
  return r;
}

inline Roundings roundings_of_elements(const PublicFunction& f, TrueFunction value, DType type, int per_exponent) {
  const Tensor x = cast(from_vector(numbers_of_every_size(type, per_exponent)), type);
  const std::vector<double> numbers = x.to_vector<double>();
  Numbers<long double> exact(1);
  Numbers<double> sensitive(1);
  for (const double in : numbers) {
    constexpr long double step = 0x1p-30L;
    exact[0].push_back(value(in));
    const long double up = value(in * (1 + step)) - exact[0].back(), down = value(in * (1 - step)) - exact[0].back();
    sensitive[0].push_back(static_cast<double>(std::max(std::abs(up), std::abs(down)) / step));
  }
  return roundings([&](const Tensors& in) -> Tensors { return {f.f(in)}; }, {x}, type, exact, sensitive);
}

/// Nothing where there is no reference: in f64 of what does not act element by element.
inline std::optional<Roundings> roundings(const PublicFunction& f, DType type, int per_exponent = 10) {
  if (const auto value = true_functions().find(f.name); value != true_functions().end())
    return roundings_of_elements(f, value->second, type, per_exponent);
  if (type == f64) return std::nullopt;
  Random random;
  return roundings([&](const Tensors& in) -> Tensors { return {f.f(in)}; }, f.small(type, random), type);
}

}  // namespace weft::test
