// How far results of functions of many numbers are off, in roundings: 1 is what rounding the result once, and every
// operand once at random, would make. So a stable algorithm has few, also where terms cancel or a matrix is nearly
// singular: what the problem itself makes of errors in its operands is no fault of the function.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include <weft/ops/random.h>

#include "op_samples.h"
#include "ops/ulps.h"

namespace weft::test {

using Tensors = std::vector<Tensor>;
using Function = std::function<Tensors(const Tensors&)>;
template <class Real> using Numbers = std::vector<std::vector<Real>>;  // of each result

struct Roundings {
  double worst = 0, sum = 0;
  std::int64_t count = 0;
  void add(double e) { worst = std::max(worst, e), sum += e, ++count; }
  void add(const Roundings& r) { worst = std::max(worst, r.worst), sum += r.sum, count += r.count; }
  double mean() const { return count ? sum / static_cast<double>(count) : 0; }
};

inline FloatFormat format_of_type(DType t) {
  return t == f64 ? format_of<double> : t == f32 ? format_of<float> : t == DType::f16 ? f16_format : bf16_format;
}

inline Tensors in_f64(const Tensors& in) {
  Tensors r;
  for (const Tensor& t : in) r.push_back(is_floating(t.dtype()) ? cast(t, f64) : t);
  return r;
}

template <class Real = double> Numbers<Real> numbers_of(const Tensors& out) {
  Numbers<Real> r;
  for (const Tensor& t : out) {
    const std::vector<double> values = t.to_vector<double>();
    r.emplace_back(values.begin(), values.end());
  }
  return r;
}

/// What small changes of the operands are relative to: each element, or, as algorithms on whole matrices mix all of
/// them, the largest.
enum class Change { each, largest };

/// The root mean square of what random relative changes of all operands, of root mean square 1, make of each result; by
/// differences in f64.
inline Numbers<double> sensitivity(const Function& f, const Tensors& in, Change change = Change::each) {
  constexpr int turns = 16;
  constexpr double step = 0x1p-30;
  random::Generator generator;
  const Tensors wide = in_f64(in);
  const Numbers<double> centre = numbers_of(f(wide));
  Numbers<double> r = centre;
  for (auto& values : r) std::fill(values.begin(), values.end(), 0.0);
  for (int turn = 0; turn < turns; ++turn) {
    Tensors moved = wide;
    for (Tensor& t : moved) {
      if (!is_floating(t.dtype()) || t.size() == 0) continue;
      const double most = step * std::sqrt(3.0);  // uniform numbers up to that are `step` in the root mean square
      t = t + (change == Change::each ? t : max(abs(t))) * random::uniform(t.shape(), -most, most, f64, generator);
    }
    const Numbers<double> there = numbers_of(f(moved));
    for (std::size_t i = 0; i < r.size(); ++i)
      for (std::size_t k = 0; k < r[i].size(); ++k) {
        const double d = (there[i][k] - centre[i][k]) / step;
        r[i][k] += d * d / turns;
      }
  }
  for (auto& values : r)
    for (double& x : values) x = std::sqrt(x);
  return r;
}

/// Of one result, of which an operand's rounding makes `sensitive` roundings of 1. Below the least normal number, where
/// a factor may have lost its digits, 2^-10 of that is let pass.
template <class Real> double roundings(double got, Real want, double sensitive, DType type) {
  const FloatFormat format = format_of_type(type);
  const double least = std::ldexp(1, format.min_exponent - 1), unit = std::ldexp(1, -format.digits);
  const auto size = static_cast<double>(std::abs(want));
  if (!(size < std::ldexp(1 - unit / 2, format.max_exponent)))  // NaN, infinite, or rounded to that
    return std::isnan(size) ? (std::isnan(got) ? 0 : INFINITY)
           : std::signbit(got) == std::signbit(want) && std::abs(got) > std::ldexp(0.999, format.max_exponent)
               ? 0
               : INFINITY;
  const double lost = size < least ? std::max(unit, 0x1p-10) * least : 0;
  const double off = static_cast<double>(std::abs(got - want)) - lost;
  if (off <= 0) return 0;
  const double r = off / (unit * size + std::ldexp(sensitive, -format_of_type(compute_type(type)).digits));
  return r == r ? r : INFINITY;
}

/// Of f's results for these operands, of which `type` is the floats'. `sensitive` is f's sensitivity there.
template <class Real> Roundings roundings(const Function& f, const Tensors& in, DType type, const Numbers<Real>& exact,
                                          const Numbers<double>& sensitive) {
  const Tensors out = f(in);
  Roundings r;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!is_floating(out[i].dtype())) continue;
    const std::vector<double> got = out[i].to_vector<double>();
    for (std::size_t k = 0; k < got.size(); ++k) r.add(roundings(got[k], exact[i][k], sensitive[i][k], type));
  }
  return r;
}

/// The same against what f makes of the same numbers in f64: of operands of f32, bf16 and f16.
inline Roundings roundings(const Function& f, const Tensors& in, DType type, Change change = Change::each) {
  return roundings(f, in, type, numbers_of(f(in_f64(in))), sensitivity(f, in, change));
}

/// An f64 tensor as three, of 18, 18 and 17 bits of the same places for all elements: the largest has all 53.
struct Pieces {
  Tensor part[3];
  double unit = 0;  // of the last
  Pieces(const Tensor& x, int exponent) : unit(std::ldexp(1, exponent - 53)) {
    Tensor rest = x;
    for (int i = 0; i < 3; ++i) {
      const double place = std::ldexp(1, exponent - (i == 0 ? 18 : i == 1 ? 36 : 53));
      part[i] = round(rest / place) * place;
      rest = rest - part[i];
    }
  }
  Tensor whole() const { return part[0] + part[1] + part[2]; }
};

/// Of an op that is linear in some operands, or a product of two, its operands made f64 numbers of 53 bits, and the
/// exact results: f64 holds the sums of products of pieces, in whatever order, and long double their sum. Nothing where
/// it does not: where an op divides, too.
struct Exact {
  Tensors in;
  Numbers<long double> out;
};
inline std::optional<Exact> exact_in_pieces(const SampledOp& s, const OpSample& sample) {
  const auto split = [&](std::size_t i) {
    return is_floating(sample.in[i].dtype()) && (s.product || s.op->linear & linear::in(i));
  };
  double largest = 0;
  for (std::size_t i = 0; i < sample.in.size(); ++i)
    if (split(i) && sample.in[i].size() > 0) largest = std::max(largest, max(abs(cast(sample.in[i], f64))).item());
  if (largest == 0) return std::nullopt;
  Random random;
  const int exponent = std::ilogb(largest) + 2;
  Exact r;
  std::vector<Pieces> pieces;
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < sample.in.size(); ++i) {
    Tensor t = in_f64({sample.in[i]})[0];
    if (split(i)) {
      const Tensor fraction = filled(t.shape(), f64, [&](std::int64_t) { return random.uniform(-1, 1) * 0x1p-24; });
      pieces.emplace_back(t + fraction * t, exponent);
      which.push_back(i);
      t = pieces.back().whole();
    }
    r.in.push_back(t);
  }
  if (which.empty() || (s.product && which.size() != 2)) return std::nullopt;
  double unit = pieces[0].unit;
  if (s.product) unit *= unit;
  bool exact = true;
  const auto add = [&](const Tensors& in) {
    const Numbers<double> part = numbers_of(run(*s.op, {sample.attrs, in}));
    r.out.resize(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) {
      r.out[i].resize(part[i].size());
      for (std::size_t k = 0; k < part[i].size(); ++k) {
        r.out[i][k] += static_cast<long double>(part[i][k]);
        exact = exact && part[i][k] / unit == std::nearbyint(part[i][k] / unit);
      }
    }
  };
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < (s.product ? 3 : 1); ++k) {
      Tensors in = r.in;
      for (std::size_t n = 0; n < which.size(); ++n) in[which[n]] = pieces[n].part[s.product && n == 1 ? k : i];
      add(in);
    }
  return exact ? std::optional(std::move(r)) : std::nullopt;
}

/// Whether an op that is not elementwise gives floats of floats.
inline bool has_roundings(const SampledOp& s) {
  if (!s.accepts(f32) || s.op->effect || (s.op->kind != OpKind::reduction && s.op->kind != OpKind::kernel))
    return false;
  Random random;
  return is_floating(run(*s.op, s.samples(f32, random)[0])[0].dtype());
}

/// Of an op for operands of f32; nothing where it does not take `type`, or, of f64, where there are no exact results.
inline std::optional<Roundings> roundings(const SampledOp& s, const OpSample& sample, DType type) {
  if (!s.accepts(type)) return std::nullopt;
  const Function f = [&](const Tensors& in) { return run(*s.op, {sample.attrs, in}); };
  if (type != f64) {
    Tensors in = sample.in;
    for (Tensor& t : in)
      if (is_floating(t.dtype())) t = cast(t, type);
    return roundings(f, in, type, s.of_matrices ? Change::largest : Change::each);
  }
  const auto exact = exact_in_pieces(s, sample);
  if (!exact) return std::nullopt;
  return roundings(f, exact->in, f64, exact->out, sensitivity(f, exact->in));
}

/// How many roundings the result of an op that is not elementwise may be off at most: of the samples, whose sums have
/// up to some dozens of terms, and of large operands. Errors of sums grow as the root of their number of terms.
inline constexpr double promised_roundings = 5, promised_roundings_of_large = 100;

}  // namespace weft::test
