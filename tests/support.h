// What the tests of all layers share: random tensors, comparison to the bit, messages as golden texts.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <weft/ops/manipulate.h>
#include <weft/ops/math.h>
#include <weft/ops/rearrange.h>
#include <weft/tensor/convert.h>
#include <weft/tensor/create.h>

#include "catch.h"

namespace weft::test {

/// A generator that gives the same numbers everywhere (std's distributions need not).
class Random {
 public:
  explicit Random(std::uint64_t seed = 1) : engine_(seed) {}
  std::uint64_t bits() { return engine_(); }
  double uniform(double low = 0, double high = 1) {
    return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53);
  }
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(n)); }

 private:
  std::mt19937_64 engine_;
};

/// Elements f(i), computed in f64 and converted to `dtype`, in row-major order.
inline Tensor filled(const Shape& shape, DType dtype, const std::function<double(std::int64_t)>& f) {
  const Tensor t = Tensor::allocate({dtype, shape});
  for (std::int64_t i = 0; i < t.size(); ++i) {
    const double x = f(i);
    detail::convert_elements(f64, &x, 0, dtype,
                             t.view().as<std::byte>() + i * static_cast<std::int64_t>(size_of(dtype)), 0, 1);
  }
  return t;
}

/// Uniform numbers in [low, high); of integers, integers; of bools, coins.
inline Tensor random_tensor(Random& random, const Shape& shape, DType dtype, double low = -3, double high = 3) {
  return filled(shape, dtype, [&](std::int64_t) {
    if (dtype == DType::boolean) return static_cast<double>(random.below(2));
    if (!is_floating(dtype)) return std::floor(random.uniform(dtype == u8 ? std::max(low, 0.0) : low, high));
    return random.uniform(low, high);
  });
}

/// The bits of each element in row-major order; all NaNs are one.
inline std::vector<std::uint64_t> bits_of(const Tensor& t) {
  std::vector<std::uint64_t> r;
  visit_dtype(t.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<std::byte> raw(static_cast<std::size_t>(t.size()) * sizeof(T));
    copy_elements(t.view(), {t.dtype(), t.shape(), contiguous_strides(t.shape()), raw.data()});
    for (std::int64_t i = 0; i < t.size(); ++i) {
      T x;
      std::memcpy(&x, raw.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
      std::uint64_t bits = 0;
      std::memcpy(&bits, &x, sizeof(T));
      if constexpr (!std::is_integral_v<T>)
        if (const auto d = static_cast<double>(x); d != d) bits = 0x7ff8;
      r.push_back(bits);
    }
  });
  return r;
}

/// Empty if both are the same to the bit (NaNs equal each other), else what differs first.
inline std::string difference(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined()) return a.defined() ? "the second is undefined" : "the first is undefined";
  if (!a.defined()) return "";
  if (a.type() != b.type()) return a.type().text() + " and " + b.type().text();
  const auto x = bits_of(a), y = bits_of(b);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i]) continue;
    const auto p = a.to_vector<double>(), q = b.to_vector<double>();
    char text[200];
    std::snprintf(text, sizeof text, "element %zu of %s: %.17g (%a) and %.17g (%a)", i, a.type().text().c_str(), p[i],
                  p[i], q[i], q[i]);
    return text;
  }
  return "";
}

/// The largest difference, over max(1, the larger of the two); infinite if types differ or only one is NaN.
inline double distance(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined() || a.type() != b.type()) return INFINITY;
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (x[i] != x[i] && y[i] != y[i])) continue;
    const double d = std::abs(x[i] - y[i]) / std::max({1.0, std::abs(x[i]), std::abs(y[i])});
    worst = d == d ? std::max(worst, d) : INFINITY;
  }
  return worst;
}

/// What f writes on stderr.
template <class F> std::string written_by(F&& f) {
  std::FILE* file = std::tmpfile();
  std::fflush(stderr);
  const int before = dup(2);
  dup2(fileno(file), 2);
  f();
  std::fflush(stderr);
  dup2(before, 2);
  close(before);
  std::string text;
  std::rewind(file);
  for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

/// A text in which each line of a test, "at FILE_test.cpp:LINE", is only "at HERE".
inline std::string without_lines(std::string text) {
  constexpr std::string_view ending = "_test.cpp:";
  for (std::size_t file; (file = text.find(ending)) != std::string::npos;) {
    const std::size_t at = text.rfind("at ", file), end = text.find_first_not_of("0123456789", file + ending.size());
    text.replace(at, std::min(end, text.size()) - at, "at HERE");
  }
  return text;
}

/// What f throws, as its whole text, without_lines.
template <class E, class F> std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& e) { return without_lines(e.what()); } catch (const std::exception& e) {
    return std::string("another class: ") + e.what();
  }
  return "nothing thrown";
}

/// The same elements lying otherwise: behind others, transposed, backwards along the last or the first axis, rows of
/// longer ones, every second.
inline std::vector<Tensor> laid_out_otherwise(const Tensor& t) {
  std::vector<Tensor> r;
  Shape several = t.shape();
  several.insert(0, 3);
  r.push_back(squeeze(slice_axis(contiguous(broadcast_to(t, several)), 0, 2, 3), Ints{0}));
  if (t.rank() == 0) return r;
  r.push_back(transpose(contiguous(transpose(t))));
  const int last = t.rank() - 1;
  const std::int64_t n = t.shape()[last];
  for (const int axis : {last, 0}) r.push_back(flip(contiguous(flip(t, axis)), axis));
  r.push_back(slice_axis(concat({t, t}, last), last, 0, n));
  Shape wide = t.shape();
  wide.push_back(2);
  Shape flat = t.shape();
  flat[last] = 2 * n;
  r.push_back(slice_axis(contiguous(reshape(broadcast_to(expand(t, -1), wide), flat)), last, 0, 2 * n, 2));
  return r;
}

}  // namespace weft::test

/// CHECKs that two tensors are the same to the bit.
#define CHECK_SAME(a, b) CHECK(weft::test::difference(a, b) == "")
#define CHECK_NEAR(a, b, tolerance) CHECK(weft::test::distance(a, b) <= (tolerance))
/// CHECKs that a tensor has these elements, exactly: CHECK_VALUES(t, 1, 2, 3).
#define CHECK_VALUES(t, ...) CHECK((t).to_vector<double>() == std::vector<double>{__VA_ARGS__})
