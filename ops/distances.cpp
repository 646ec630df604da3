#include "distances.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose.h"
#include "composition.h"
#include "manipulate.h"
#include "math.h"

namespace weft {
namespace {

// Of the largest rank there is no room for an axis more: all batches are one axis meanwhile.
Tensor all_pairs_of_batches(const Tensor& x, const Tensor& y, double p) {
  const auto batches = [](const Tensor& t) {
    return Shape(std::span(t.shape().begin(), static_cast<std::size_t>(t.rank() - 2)));
  };
  Shape batch = broadcast_shapes(batches(x), batches(y));
  const auto rows = [](const Tensor& t) { return t.shape()[t.rank() - 2]; };
  const auto merged = [&](const Tensor& t) {
    Shape shape = batch;
    shape.push_back(rows(t));
    shape.push_back(t.shape().back());
    return reshape(broadcast_to(t, shape), {count(batch), rows(t), t.shape().back()});
  };
  const Tensor y3 = cdist(merged(x), merged(y), p);
  batch.push_back(rows(x));
  batch.push_back(rows(y));
  return reshape(y3, batch);
}

}  // namespace

Tensor diff(const Arg& x, int n, Axis axis) {
  return detail::composed("diff", {{"in0", x}}, [&] {
    Tensor t = x.tensor();
    const int at = normal_axis(axis, t.rank());
    if (n < 0) throw ArgumentError(fmt::format("{} times", n));
    if (n == 0) return t;
    const auto once = [&] { return slice_axis(t, at, 1, INT64_MAX) - slice_axis(t, at, 0, -1); };
    const std::int64_t left = std::max<std::int64_t>(0, t.shape()[at] - n);
    if (left == 0 || t.size() == 0) return slice_axis(once(), at, 0, left);  // of nothing, or nothing is left
    for (int i = 0; i < n; ++i) t = once();
    return t;
  });
}

Tensor cdist(const Arg& a, const Arg& b, double p) {
  return detail::composed("cdist", {{"lhs", a}, {"rhs", b}}, [&] {
    const Tensor x = a.tensor(), y = b.tensor();
    if (x.rank() < 2 || y.rank() < 2 || x.shape().back() != y.shape().back())
      throw ShapeError(fmt::format("{} and {} are not points of one dimension", x.shape().text(), y.shape().text()));
    if (!(p >= 0)) throw ArgumentError(fmt::format("p is {}, not at least 0", p));
    if (x.rank() == max_rank || y.rank() == max_rank) return all_pairs_of_batches(x, y, p);
    return norm(expand(x, -2) - expand(y, -3), p, -1);
  });
}

}  // namespace weft
