#include "create.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "convert.h"

namespace weft {
namespace {

// Element i is f(i), computed in f64 and rounded once.
template <class F> Tensor generate(std::int64_t n, DType dtype, F f) {
  const Tensor t = Tensor::allocate({dtype, {n}});
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < n; ++i) t.view().as<T>()[i] = detail::convert_element<T>(f(i));
  });
  return t;
}

Tensor filled(const Shape& shape, const Literal& value, DType dtype) {
  const Tensor t = Tensor::allocate({dtype, shape});
  if (value.is_zero())
    std::memset(t.view().data, 0, static_cast<std::size_t>(t.size()) * size_of(dtype));
  else
    value.write(dtype, t.view().data, 1, t.size());
  return t;
}

Tensor counted(double begin, double end, double step, DType dtype) {
  if (step == 0 || !std::isfinite(step) || !std::isfinite(begin) || !std::isfinite(end))
    throw ArgumentError(fmt::format("from {} to {} by {}", begin, end, step));
  const double n = std::max(0.0, std::ceil((end - begin) / step));
  if (n > 1e18) throw ShapeError(fmt::format("from {} to {} by {}: element count overflows", begin, end, step));
  return generate(static_cast<std::int64_t>(n), dtype,
                  [&](std::int64_t i) { return begin + static_cast<double>(i) * step; });
}

}  // namespace

using detail::called;

Tensor full(const Shape& shape, const Literal& value, DType dtype, Site site) {
  return called("full", site, [&] {
    value.check(dtype);
    return filled(shape, value, dtype);
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

Tensor arange(double begin, double end, double step, DType dtype, Site site) {
  return called("arange", site, [&] { return counted(begin, end, step, dtype); });
}

Tensor arange(std::int64_t n, Site site) {
  return called("arange", site, [&] {
    if (n < 0) throw ArgumentError(fmt::format("{} numbers", n));
    return counted(0, static_cast<double>(n), 1, i64);
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
