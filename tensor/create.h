// Tensors from nothing, from numbers, from memory.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <vector>

#include "tensor.h"

namespace weft {

/// All elements `value`. ShapeError, OutOfMemory (these two of every function here).
Tensor full(const Shape& shape, double value, DType dtype = f32);
Tensor zeros(const Shape& shape, DType dtype = f32);
Tensor ones(const Shape& shape, DType dtype = f32);
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
/// The n x n unit matrix.
Tensor eye(std::int64_t n, DType dtype = f32);
/// begin, begin + step, ... before end. ArgumentError if step is 0 or not finite.
Tensor arange(double begin, double end, double step = 1, DType dtype = f32);
/// 0, 1, ..., n - 1 as i64.
Tensor arange(std::int64_t n);
/// n numbers from begin to end, both included. ArgumentError if n < 0.
Tensor linspace(double begin, double end, std::int64_t n, DType dtype = f32);

namespace detail {
Tensor from_memory(const void* data, std::size_t n, DType dtype, const Shape& shape);
/// Braces, flattened: the shape is that of the nesting.
template <class T> struct Nested {
  std::vector<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>> values;  // std::vector<bool> has no memory
  Shape shape;
  Nested(T value) : values{value} {}
  template <class U>
  requires std::is_arithmetic_v<U> Nested(U value) : values{static_cast<T>(value)} {}
  Nested(std::initializer_list<Nested> list) {
    for (const Nested& n : list) {
      if (&n != list.begin() && n.shape != list.begin()->shape) throw ShapeError("braces of different lengths");
      values.insert(values.end(), n.values.begin(), n.values.end());
    }
    shape = list.size() ? list.begin()->shape : Shape{};
    shape.insert(0, static_cast<std::int64_t>(list.size()));
  }
};
}  // namespace detail

/// A copy of `data`, whose elements fill `shape` in row-major order. ShapeError if their number differs.
template <class T> Tensor from_span(std::span<const T> data, const Shape& shape) {
  return detail::from_memory(data.data(), data.size(), dtype_of<T>, shape);
}
/// A copy of a vector, as a 1-d tensor or of the given shape.
template <class T> Tensor from_vector(const std::vector<T>& data, const Shape& shape) {
  if constexpr (std::is_same_v<T, bool>) {
    const std::vector<std::uint8_t> bytes(data.begin(), data.end());
    return detail::from_memory(bytes.data(), bytes.size(), DType::boolean, shape);
  } else {
    return from_span(std::span<const T>(data), shape);
  }
}
template <class T> Tensor from_vector(const std::vector<T>& data) {
  return from_vector(data, {static_cast<std::int64_t>(data.size())});
}

/// From nested braces: tensor({{1, 2}, {3, 4}}), tensor<double>({1, 2}), tensor(5). ShapeError if they are ragged.
template <class T = float> Tensor tensor(const std::type_identity_t<detail::Nested<T>>& braces) {
  return detail::from_memory(braces.values.data(), braces.values.size(), dtype_of<T>, braces.shape);
}

/// What `write(elements)` puts into a span of the tensor's elements in row-major order, zero before.
template <class T> Tensor from_writer(const Shape& shape, const std::function<void(std::span<T>)>& write) {
  const Tensor t = zeros(shape, dtype_of<T>);
  write({t.view().as<T>(), static_cast<std::size_t>(t.size())});
  return t;
}

}  // namespace weft
