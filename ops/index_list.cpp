#include "index_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "../tensor/create.h"
#include "../tensor/parallel.h"
#include "indexing.h"
#include "manipulate.h"
#include "math.h"

namespace weft::detail {
namespace {

// The smallest and the largest of n indices.
std::pair<std::int64_t, std::int64_t> range(const std::int64_t* p, std::int64_t n) {
  constexpr std::int64_t part = 1 << 16;
  std::vector<std::pair<std::int64_t, std::int64_t>> found(static_cast<std::size_t>((n + part - 1) / part));
  parallel_for(std::ssize(found), num_threads(), [&](std::int64_t k) {
    std::int64_t least = INT64_MAX, most = INT64_MIN;
    for (std::int64_t i = k * part; i < std::min(n, (k + 1) * part); ++i) {
      least = std::min(least, p[i]);
      most = std::max(most, p[i]);
    }
    found[static_cast<std::size_t>(k)] = {least, most};
  });
  std::pair<std::int64_t, std::int64_t> all = {INT64_MAX, INT64_MIN};
  for (const auto& [least, most] : found) all = {std::min(all.first, least), std::max(all.second, most)};
  return all;
}

[[noreturn, gnu::cold]] void fail_index(const std::int64_t* p, const Shape& shape, std::int64_t n, std::int64_t low) {
  std::int64_t k = 0;
  while (p[k] >= low && p[k] < n) ++k;
  const std::int64_t index = p[k];
  Ints at = shape;
  for (int i = at.size(); i-- > 0;) {
    at[i] = k % shape[i];
    k /= shape[i];
  }
  throw IndexError(n == 0 ? fmt::format("index {} at {} of an axis of no elements", index, at.text())
                          : fmt::format("index {} at {} must be within [{}, {}]", index, at.text(), low, n - 1));
}

}  // namespace

IndexList::IndexList(const View& view, std::int64_t n, std::int64_t low) : size_(count(view.shape)) {
  if (size_ == 0) return;
  std::int64_t* own = nullptr;
  const auto copy = [&] {
    copy_ = Storage::allocate(static_cast<std::size_t>(size_) * sizeof(std::int64_t));
    own = reinterpret_cast<std::int64_t*>(copy_.data());
    copy_elements(view, {i64, view.shape, contiguous_strides(view.shape), own});
    data_ = own;
  };
  data_ = view.as<std::int64_t>();
  if (view.dtype != i64 || !view.contiguous()) copy();
  const auto [least, most] = range(data_, size_);
  if (least < low || most >= n) fail_index(data_, view.shape, n, low);
  if (least >= 0) return;
  if (!own) copy();
  for (std::int64_t k = 0; k < size_; ++k)
    if (own[k] < 0) own[k] += n;
}

void check_index_type(const Type& t) {
  if (t.dtype != i32 && t.dtype != i64)
    throw DTypeError(fmt::format("indices are {}, not i32 or i64", name_of(t.dtype)), "cast(indices, i64)");
}

Shape picked_shape(const Shape& x, const Shape& indices, int axis) {
  normal_axis(axis, x.size());
  Shape s;
  for (int i = 0; i < axis; ++i) s.push_back(x[i]);
  for (std::int64_t n : indices) s.push_back(n);
  for (int i = axis + 1; i < x.size(); ++i) s.push_back(x[i]);
  return s;
}

Tensor long_axis(const Tensor& x, int axis) {
  Ints order = {0, axis + 1};
  for (int i = 1; i < x.rank(); ++i)
    if (i != axis + 1) order.push_back(i);
  const Tensor t = transpose(x, order);
  Shape shape = t.shape();
  shape.erase(0);
  shape[0] *= t.shape()[0];
  return reshape(t, shape);
}

Tensor long_indices(const Batching& b, std::int64_t n) {
  const Tensor i = cast(b.in(1), i64);
  const Tensor within = check_indices(where(i < 0, i + n, i), n);
  std::vector<std::int64_t> starts;
  for (std::int64_t k = 0; k < b.size(); ++k) starts.push_back(k * n);
  Shape column = Shape::filled(i.rank(), 1);
  column[0] = b.size();
  return within + from_vector(starts, column);
}

Tensor move_axes(const Tensor& x, int from, int count, int to) {
  Ints rest, order;
  for (int i = 0; i < x.rank(); ++i)
    if (i < from || i >= from + count) rest.push_back(i);
  for (int i = 0; i <= rest.size(); ++i) {
    if (i == to)
      for (int k = 0; k < count; ++k) order.push_back(from + k);
    if (i < rest.size()) order.push_back(rest[i]);
  }
  return transpose(x, order);
}

}  // namespace weft::detail
