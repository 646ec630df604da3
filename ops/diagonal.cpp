#include "diagonal.h"

#include <fmt/format.h>

#include <algorithm>

#include "../tensor/create.h"
#include "apply.h"
#include "composition.h"
#include "defs/shape.h"
#include "manipulate.h"
#include "math.h"
#include "reduce.h"

namespace weft {
namespace {

using detail::composed;

void check_matrix(const Tensor& t) {
  if (t.rank() < 2) throw ShapeError(fmt::format("rank {} has no matrices", t.rank()));
}

// Where column - row <= k, or >= k.
Tensor triangle(const Tensor& t, std::int64_t k, bool lower) {
  check_matrix(t);
  const std::int64_t n = t.shape()[t.rank() - 2], m = t.shape().back();
  k = std::clamp(k, -n, m);
  if (t.size() == 0) return t;
  const Tensor above = arange(m) - reshape(arange(n), {n, 1});
  return where(lower ? above <= k : above >= k, t, 0);
}

// Of the last two axes: along the rows end to end, one step is a row and an element.
Tensor last_diagonal(const Tensor& t, std::int64_t k) {
  const std::int64_t n = t.shape()[t.rank() - 2], m = t.shape().back();
  k = std::clamp(k, -n, m);
  const std::int64_t first = k < 0 ? count({-k, m}) : k,
                     size = std::max<std::int64_t>(0, std::min(k < 0 ? n + k : n, k < 0 ? m : m - k));
  Shape rows = t.shape();
  rows.erase(rows.size() - 1);
  rows[rows.size() - 1] = count({n, m});
  const std::int64_t step = size > 1 ? m + 1 : 1;
  return slice_axis(reshape(t, rows), -1, first, size ? first + (size - 1) * step + 1 : first, step);
}

}  // namespace

Tensor tril(const Arg& x, std::int64_t k) {
  return composed("tril", {{"in0", x}}, [&] { return triangle(x.tensor(), k, true); });
}
Tensor triu(const Arg& x, std::int64_t k) {
  return composed("triu", {{"in0", x}}, [&] { return triangle(x.tensor(), k, false); });
}

Tensor diagonal(const Arg& x, std::int64_t k, Axis axis1, Axis axis2) {
  return composed("diagonal", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    check_matrix(t);
    const int a = normal_axis(axis1, t.rank()), b = normal_axis(axis2, t.rank());
    if (a == b) throw IndexError(fmt::format("axis {} appears twice in {}", a, Ints{axis1, axis2}.text()));
    if (a == t.rank() - 2 && b == t.rank() - 1) return last_diagonal(t, k);
    Ints order;
    for (int i = 0; i < t.rank(); ++i)
      if (i != a && i != b) order.push_back(i);
    order.push_back(a);
    order.push_back(b);
    return last_diagonal(transpose(t, order), k);
  });
}

Tensor diag(const Arg& x, std::int64_t k) {
  return composed("diag", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (t.rank() == 2) return last_diagonal(t, k);
    if (t.rank() != 1) throw ShapeError(fmt::format("rank {} is neither a vector nor a matrix", t.rank()));
    std::int64_t n, elements;
    if (k == INT64_MIN || __builtin_add_overflow(t.size(), std::max(k, -k), &n) ||
        __builtin_mul_overflow(n, n, &elements))
      throw ShapeError("element count overflows");
    return reshape(apply<Embed>({t}, EmbedAttrs{{t.size() ? (k < 0 ? -k * n : k) : 0}, {n + 1}, {elements}, 0.0}),
                   {n, n});
  });
}

Tensor trace(const Arg& x, std::int64_t k, Axis axis1, Axis axis2) {
  return composed("trace", {{"in0", x}}, [&] { return sum(diagonal(x, k, axis1, axis2), -1); });
}

}  // namespace weft
