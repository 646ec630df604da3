#include "create.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "convert.h"
#include "profile_log.h"

namespace weft {
namespace {

// Element i is f(i), converted once.
template <class F> Tensor generate(std::int64_t n, DType dtype, F f) {
  const Tensor t = Tensor::allocate({dtype, {n}});
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < n; ++i) t.view().as<T>()[i] = detail::convert_element<T>(f(i));
  });
  return t;
}

Tensor filled(const Shape& shape, const Literal& value, DType dtype) {
  const detail::ProfilePhase phase("fill");
  const Tensor t = Tensor::allocate({dtype, shape});
  if (value.is_zero())
    std::memset(t.view().data, 0, static_cast<std::size_t>(t.size()) * size_of(dtype));
  else
    value.write(dtype, t.view().data, 1, t.size());
  return t;
}

// As f64 counts: each element is rounded once.
Tensor counted(double begin, double end, double step, DType dtype) {
  const double n = std::max(0.0, std::ceil((end - begin) / step));
  if (n > 1e18) throw ShapeError(fmt::format("from {} to {} by {}: element count overflows", begin, end, step));
  return generate(static_cast<std::int64_t>(n), dtype,
                  [&](std::int64_t i) { return begin + static_cast<double>(i) * step; });
}

// Whole numbers, which f64 would round from 2^53 on.
Tensor counted_whole(std::int64_t begin, std::int64_t end, std::int64_t step, DType dtype) {
  if (step > 0 ? begin >= end : begin <= end) return Tensor::allocate({dtype, {0}});
  // distances fit 64 bits without a sign
  const auto distance = step > 0 ? static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(begin)
                                 : static_cast<std::uint64_t>(begin) - static_cast<std::uint64_t>(end);
  const auto stride = step > 0 ? static_cast<std::uint64_t>(step) : -static_cast<std::uint64_t>(step);
  const std::uint64_t before_last = (distance - 1) / stride;
  const auto element = [&](std::uint64_t i) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(begin) + i * static_cast<std::uint64_t>(step));
  };
  Literal(begin).check(dtype);
  Literal(element(before_last)).check(dtype);
  if (before_last >= std::uint64_t{INT64_MAX})
    throw ShapeError(fmt::format("from {} to {} by {}: element count overflows", begin, end, step));
  return generate(static_cast<std::int64_t>(before_last) + 1, dtype,
                  [&](std::int64_t i) { return element(static_cast<std::uint64_t>(i)); });
}

// Where to stop short of, as a whole number: of a step upwards the next above it.
std::int64_t whole_end(const Literal& end, bool upwards) {
  const Literal rounded = end.whole() ? end : Literal(upwards ? std::ceil(end.real()) : std::floor(end.real()));
  return rounded.whole().value_or(end.real() > 0 ? INT64_MAX : INT64_MIN);
}

}  // namespace

using detail::called;

Tensor full(const Shape& shape, const Literal& value, DType dtype, Site site) {
  return called("full", site, [&] {
    value.check(dtype);
    return filled(shape, value, dtype);
  });
}
Tensor tensor(const detail::Nested<Literal>& braces, DType dtype, Site site) {
  return called("tensor", site, [&] {
    const Tensor t = Tensor::allocate({dtype, braces.shape});
    auto* to = t.view().as<std::byte>();
    for (const Literal& value : braces.values) {
      value.check(dtype);
      value.write(dtype, to, 0, 1);
      to += size_of(dtype);
    }
    return t;
  });
}
Tensor zeros(const Shape& shape, DType dtype, Site site) {
  return called("zeros", site, [&] { return filled(shape, 0, dtype); });
}
Tensor ones(const Shape& shape, DType dtype, Site site) {
  return called("ones", site, [&] { return filled(shape, 1, dtype); });
}
Tensor zeros_like(const Tensor& x, Site site) {
  return called("zeros_like", site, [&] { return filled(x.shape(), 0, x.dtype()); });
}
Tensor ones_like(const Tensor& x, Site site) {
  return called("ones_like", site, [&] { return filled(x.shape(), 1, x.dtype()); });
}

Tensor eye(std::int64_t n, DType dtype, Site site) {
  return called("eye", site, [&] {
    const Tensor t = filled({n, n}, 0, dtype);
    Literal(1).write(dtype, t.view().data, n + 1, n);
    return t;
  });
}

Tensor arange(const Literal& begin, const Literal& end, const Literal& step, DType dtype, Site site) {
  return called("arange", site, [&] {
    for (const Literal& x : {begin, end, step})
      if (!std::isfinite(x.real()) || step.real() == 0)
        throw ArgumentError(fmt::format("from {} to {} by {}", begin.text(), end.text(), step.text()));
    if (!is_integer(dtype)) return counted(begin.real(), end.real(), step.real(), dtype);
    begin.check(i64);
    step.check(i64);
    return counted_whole(*begin.whole(), whole_end(end, step.real() > 0), *step.whole(), dtype);
  });
}

Tensor arange(std::int64_t n, Site site) {
  return called("arange", site, [&] {
    if (n < 0) throw ArgumentError(fmt::format("{} numbers", n));
    return counted_whole(0, n, 1, i64);
  });
}

Tensor linspace(double begin, double end, std::int64_t n, DType dtype, Site site) {
  return called("linspace", site, [&] {
    if (n < 0) throw ArgumentError(fmt::format("{} numbers", n));
    return generate(n, dtype, [&](std::int64_t i) {
      return i == n - 1 && n > 1
                 ? end
                 : begin + (n > 1 ? (end - begin) * static_cast<double>(i) / static_cast<double>(n - 1) : 0);
    });
  });
}

Tensor detail::from_memory(const char* name, const void* data, std::size_t n, DType dtype, const Shape& shape,
                           const Site& site) {
  return called(name, site, [&] {
    if (static_cast<std::int64_t>(n) != count(shape))
      throw ShapeError(fmt::format("{} numbers for shape {}, which has {}", n, shape.text(), count(shape)));
    const Tensor t = Tensor::allocate({dtype, shape});
    if (n) std::memcpy(t.view().data, data, n * size_of(dtype));
    return t;
  });
}

void detail::fail_ragged(const Shape& first, const Shape& other, const Site& site) {
  ShapeError e(fmt::format("braces of different shapes: {} and {}", first.text(), other.text()));
  e.locate("tensor", {}, site_text(site));
  throw e;
}

}  // namespace weft
