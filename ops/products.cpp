#include "products.h"

#include <fmt/format.h>

#include <algorithm>

#include "composition.h"
#include "contraction.h"
#include "manipulate.h"
#include "math.h"
#include "mismatch.h"
#include "rearrange.h"

namespace weft {
namespace {

using detail::composed;
using detail::Label;

// Both operands, a number as the other's dtype.
std::pair<Tensor, Tensor> both(const Arg& a, const Arg& b) {
  const Tensor x = a.tensor(b.is_number() ? f32 : b.given().dtype());
  return {x, b.tensor(x.dtype())};
}

Tensor contracted(const Tensor& a, const Tensor& b, const Ints& axes_a, const Ints& axes_b) {
  if (axes_a.size() != axes_b.size())
    throw ShapeError(fmt::format("axes {} and {} do not pair", axes_a.text(), axes_b.text()));
  detail::Labelled x{a, {}}, y{b, {}};
  for (int i = 0; i < a.rank(); ++i) x.labels.push_back(static_cast<Label>(i));
  for (int i = 0; i < b.rank(); ++i) y.labels.push_back(static_cast<Label>(a.rank() + i));
  detail::LabelSet kept;
  kept.set();
  for (int i = 0; i < axes_a.size(); ++i) {
    const int of_a = normal_axis(axes_a[i], a.rank()), of_b = normal_axis(axes_b[i], b.rank());
    if (!kept[static_cast<std::size_t>(of_a)] || y.labels[static_cast<std::size_t>(of_b)] < a.rank())
      throw IndexError(fmt::format("an axis appears twice in {} and {}", axes_a.text(), axes_b.text()));
    if (a.shape()[of_a] != b.shape()[of_b])
      throw ShapeError(
          fmt::format("axis {} of {} and axis {} of {} differ", of_a, a.shape().text(), of_b, b.shape().text()));
    y.labels[static_cast<std::size_t>(of_b)] = static_cast<Label>(of_a);
    kept.reset(static_cast<std::size_t>(of_a));
  }
  return detail::contract(x, y, kept).tensor;
}

}  // namespace

Tensor dot(const Arg& a, const Arg& b) {
  return composed("dot", {{"lhs", a}, {"rhs", b}}, [&] {
    const auto [x, y] = both(a, b);
    if (x.rank() == 0 || y.rank() == 0) return x * y;
    return contracted(x, y, {-1}, {y.rank() == 1 ? -1 : -2});
  });
}

Tensor outer(const Arg& a, const Arg& b) {
  return composed("outer", {{"lhs", a}, {"rhs", b}}, [&] {
    const auto [x, y] = both(a, b);
    return reshape(x, {x.size(), 1}) * reshape(y, {1, y.size()});
  });
}

Tensor inner(const Arg& a, const Arg& b) {
  return composed("inner", {{"lhs", a}, {"rhs", b}}, [&] {
    const auto [x, y] = both(a, b);
    return x.rank() == 0 || y.rank() == 0 ? x * y : contracted(x, y, {-1}, {-1});
  });
}

Tensor tensordot(const Arg& a, const Arg& b, int axes) {
  return composed("tensordot", {{"lhs", a}, {"rhs", b}}, [&] {
    const auto [x, y] = both(a, b);
    if (axes < 0 || axes > x.rank() || axes > y.rank())
      throw ShapeError(fmt::format("{} axes of ranks {} and {}", axes, x.rank(), y.rank()));
    Ints last, first;
    for (int i = 0; i < axes; ++i) {
      last.push_back(x.rank() - axes + i);
      first.push_back(i);
    }
    return contracted(x, y, last, first);
  });
}

Tensor tensordot(const Arg& a, const Arg& b, const Ints& axes_a, const Ints& axes_b) {
  return composed("tensordot", {{"lhs", a}, {"rhs", b}}, [&] {
    const auto [x, y] = both(a, b);
    return contracted(x, y, axes_a, axes_b);
  });
}

Tensor cross(const Arg& a, const Arg& b, Axis axis) {
  return composed("cross", {{"lhs", a}, {"rhs", b}}, [&] {
    const auto [given_x, given_y] = both(a, b);
    if (given_x.dtype() != given_y.dtype()) throw detail::dtypes_differ(given_x.dtype(), given_y.dtype());
    const Shape shape = broadcast_shapes(given_x.shape(), given_y.shape());
    const int at = normal_axis(axis, shape.size());
    for (const Tensor& t : {given_x, given_y})
      if (const int own = at - (shape.size() - t.rank()); own < 0 || t.shape()[own] != 3)
        throw ShapeError(fmt::format("axis {} of {} has not 3 elements", axis, t.shape().text()));
    const DType type = compute_type(given_x.dtype());  // what cancels is not rounded before
    const Tensor x = broadcast_to(cast(given_x, type), shape), y = broadcast_to(cast(given_y, type), shape);
    return cast(roll(x, -1, at) * roll(y, -2, at) - roll(x, -2, at) * roll(y, -1, at), given_x.dtype());
  });
}

Tensor kron(const Arg& a, const Arg& b) {
  return composed("kron", {{"lhs", a}, {"rhs", b}}, [&] {
    const auto [x, y] = both(a, b);
    const int rank = std::max(x.rank(), y.rank());
    const auto aligned = [&](const Tensor& t) {
      Shape shape = Shape::filled(rank, 1);
      std::copy(t.shape().begin(), t.shape().end(), shape.end() - t.rank());
      return shape;
    };
    const Shape m = aligned(x), n = aligned(y);
    Shape of_x, of_y, result;
    for (int i = 0; i < rank; ++i) result.push_back(count({m[i], n[i]}));
    count(result);
    if (2 * rank > max_rank) {  // no room for both operands' axes side by side
      Tensor each = reshape(x, m);
      for (int i = 0; i < rank; ++i) each = repeat(each, n[i], i);
      return each * tile(reshape(y, n), m);
    }
    for (int i = 0; i < rank; ++i) {
      of_x.push_back(m[i]);
      of_x.push_back(1);
      of_y.push_back(1);
      of_y.push_back(n[i]);
    }
    return reshape(reshape(x, of_x) * reshape(y, of_y), result);
  });
}

}  // namespace weft
