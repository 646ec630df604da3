// Tensors from nothing, from numbers, from memory.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <vector>

#include "literal.h"
#include "site.h"
#include "tensor.h"

namespace weft {

/// All elements `value`. DTypeError if the dtype can't hold it (full({2}, 300, u8)); ShapeError, OutOfMemory (these two
/// of every function here; `site` is the line they name).
Tensor full(const Shape& shape, const Literal& value, DType dtype = f32, Site site = Site::current());
Tensor zeros(const Shape& shape, DType dtype = f32, Site site = Site::current());
Tensor ones(const Shape& shape, DType dtype = f32, Site site = Site::current());
Tensor zeros_like(const Tensor& x, Site site = Site::current());
Tensor ones_like(const Tensor& x, Site site = Site::current());
/// The n x n unit matrix.
Tensor eye(std::int64_t n, DType dtype = f32, Site site = Site::current());
/// begin, begin + step, ... before end. ArgumentError if step is 0 or one of them not finite; DTypeError if the dtype
/// is an integer and does not hold them (arange(0, 1, 0.25, i32), arange(0, 300, 1, u8)).
Tensor arange(const Literal& begin, const Literal& end, const Literal& step = 1, DType dtype = f32,
              Site site = Site::current());
/// 0, 1, ..., n - 1 as i64. ArgumentError if n < 0.
Tensor arange(std::int64_t n, Site site = Site::current());
/// n numbers from begin to end, both included. ArgumentError if n < 0.
Tensor linspace(double begin, double end, std::int64_t n, DType dtype = f32, Site site = Site::current());

namespace detail {
Tensor from_memory(const char* name, const void* data, std::size_t n, DType dtype, const Shape& shape,
                   const Site& site);
[[noreturn]] void fail_ragged(const Shape& first, const Shape& other, const Site& site);
/// Braces, flattened: the shape is that of the nesting.
template <class T> struct Nested {
  std::vector<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>> values;  // std::vector<bool> has no memory
  Shape shape;
  Nested(T value) : values{value} {}
  template <class U>
  requires std::is_arithmetic_v<U> Nested(U value) : values{static_cast<T>(value)} {}
  Nested(std::initializer_list<Nested> list, Site site = Site::current()) {
    for (const Nested& n : list) {
      if (n.shape != list.begin()->shape) fail_ragged(list.begin()->shape, n.shape, site);
      values.insert(values.end(), n.values.begin(), n.values.end());
    }
    shape = list.size() ? list.begin()->shape : Shape{};
    shape.insert(0, static_cast<std::int64_t>(list.size()));
  }
};
}  // namespace detail

/// A copy of `data`, whose elements fill `shape` in row-major order. ShapeError if their number differs.
template <class T> Tensor from_span(std::span<const T> data, const Shape& shape, Site site = Site::current()) {
  return detail::from_memory("from_span", data.data(), data.size(), dtype_of<T>, shape, site);
}
/// A copy of a vector, as a 1-d tensor or of the given shape.
template <class T> Tensor from_vector(const std::vector<T>& data, const Shape& shape, Site site = Site::current()) {
  if constexpr (std::is_same_v<T, bool>) {
    const std::vector<std::uint8_t> bytes(data.begin(), data.end());
    return detail::from_memory("from_vector", bytes.data(), bytes.size(), DType::boolean, shape, site);
  } else {
    return detail::from_memory("from_vector", data.data(), data.size(), dtype_of<T>, shape, site);
  }
}
template <class T> Tensor from_vector(const std::vector<T>& data, Site site = Site::current()) {
  return from_vector(data, Shape{static_cast<std::int64_t>(data.size())}, site);
}

/// From nested braces: tensor({{1, 2}, {3, 4}}), tensor<double>({1, 2}), tensor(5). ShapeError if they are ragged.
template <class T = float>
Tensor tensor(const std::type_identity_t<detail::Nested<T>>& braces, Site site = Site::current()) {
  return detail::from_memory("tensor", braces.values.data(), braces.values.size(), dtype_of<T>, braces.shape, site);
}

/// The same of a dtype: tensor({1, 2}, f64), tensor({{1, 0}}, bf16). DTypeError if it can't hold a number (0.5 as i64).
Tensor tensor(const detail::Nested<Literal>& braces, DType dtype, Site site = Site::current());

/// What `write(elements)` puts into a span of the tensor's elements in row-major order, zero before.
template <class T>
Tensor from_writer(const Shape& shape, const std::function<void(std::span<T>)>& write, Site site = Site::current()) {
  const Tensor t = zeros(shape, dtype_of<T>, site);
  write({t.view().as<T>(), static_cast<std::size_t>(t.size())});
  return t;
}

}  // namespace weft
