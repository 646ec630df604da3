// Operands that do not fit: what bad-input tests put in place of each operand of each op of the table.
#pragma once

#include "op_samples.h"

namespace weft::test {

/// `t` in other shapes, ranks and dtypes, filled with its own elements again and again; of integers, indices far out.
inline std::vector<Tensor> unfit(const Tensor& t) {
  std::vector<Tensor> r;
  const auto of = [&](const Shape& shape, DType dtype) {
    const std::vector<double> elements = t.size() > 0 ? t.to_vector<double>() : std::vector<double>{1};
    r.push_back(
        filled(shape, dtype, [&](std::int64_t i) { return elements[static_cast<std::size_t>(i) % elements.size()]; }));
  };
  const auto with = [&](auto change) {
    Shape shape = t.shape();
    change(shape);
    of(shape, t.dtype());
  };
  for (int axis = 0; axis < t.rank(); ++axis) {
    with([&](Shape& s) { s[axis] = 0; });
    with([&](Shape& s) { s[axis] += 1; });
    with([&](Shape& s) { s[axis] = 1; });
    with([&](Shape& s) { s.erase(axis); });
  }
  with([](Shape& s) { s.insert(0, 2); });
  with([](Shape& s) { s.push_back(1); });
  with([](Shape& s) { s = {}; });
  with([](Shape& s) { s = {5}; });
  with([](Shape& s) { s = Shape::filled(max_rank, 1); });
  with([](Shape& s) { s = {0, std::int64_t{1} << 62}; });
  with([](Shape& s) { s = {std::int64_t{1} << 62, 0, 3}; });
  for (const DType other : all_dtypes)
    if (other != t.dtype()) of(t.shape(), other);
  if (t.dtype() == i32 || t.dtype() == i64)
    for (const double value : {-1.0, 1.0, 6.0, 1e17, -0x1p63})
      r.push_back(filled(t.shape(), t.dtype(), [&](std::int64_t i) { return i == 0 ? value : 0; }));
  return r;
}

/// Calls f(op, sample with one operand replaced), with a text that says which.
template <class F> void each_unfit(const SampledOp& s, DType t, Random& random, F f) {
  for (const OpSample& sample : s.samples(t, random))
    for (std::size_t i = 0; i < sample.in.size(); ++i)
      for (const Tensor& other : unfit(sample.in[i])) {
        INFO(s.op->name << " " << sample.attrs.text() << ", operand " << i << " " << other.type().text() << " for "
                        << sample.in[i].type().text());
        OpSample bad = sample;
        bad.in[i] = other;
        f(*s.op, bad);
      }
}

}  // namespace weft::test
