#include "shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

#include "error.h"

namespace weft {

Ints::Ints(std::span<const std::int64_t> list) {
  if (list.size() > static_cast<std::size_t>(max_rank))
    throw ShapeError(fmt::format("rank {} is more than the {} dimensions a tensor may have", list.size(), max_rank));
  std::copy(list.begin(), list.end(), data_.begin());
  size_ = static_cast<std::int8_t>(list.size());
}

Ints Ints::filled(int n, std::int64_t value) {
  if (n > max_rank)
    throw ShapeError(fmt::format("rank {} is more than the {} dimensions a tensor may have", n, max_rank));
  Ints r;
  r.size_ = static_cast<std::int8_t>(n);
  std::fill_n(r.data_.begin(), n, value);
  return r;
}

void Ints::push_back(std::int64_t v) { insert(size_, v); }

void Ints::insert(int at, std::int64_t v) {
  if (size_ == max_rank)
    throw ShapeError(fmt::format("rank {} is more than the {} dimensions a tensor may have", size_ + 1, max_rank));
  std::copy_backward(data_.begin() + at, data_.begin() + size_, data_.begin() + size_ + 1);
  data_[at] = v;
  ++size_;
}

void Ints::erase(int at) {
  std::copy(data_.begin() + at + 1, data_.begin() + size_, data_.begin() + at);
  --size_;
}

bool Ints::contains(std::int64_t v) const { return std::find(begin(), end(), v) != end(); }

std::string Ints::text() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

std::ostream& operator<<(std::ostream& out, const Ints& ints) { return out << ints.text(); }

std::string Type::text() const { return fmt::format("{}{}", name_of(dtype), shape.text()); }

std::int64_t count(const Shape& shape) {
  std::int64_t n = 1;
  bool empty = false, overflow = false;
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0)
      throw ShapeError(fmt::format("extent {} of dimension {} is negative in {}", shape[i], i, shape.text()));
    if (shape[i] == 0)
      empty = true;
    else
      overflow |= __builtin_mul_overflow(n, shape[i], &n);
  }
  if (empty) return 0;
  if (overflow || n > INT64_MAX / 16) throw ShapeError(fmt::format("element count overflows in {}", shape.text()));
  return n;
}

Ints contiguous_strides(const Shape& shape) {
  Ints s = Ints::filled(shape.size(), 1);
  std::int64_t step = 1;
  for (int i = shape.size(); i-- > 0;) {
    s[i] = step;
    if (__builtin_mul_overflow(step, std::max<std::int64_t>(shape[i], 1), &step)) step = 0;  // only in an empty shape
  }
  return s;
}

int normal_axis(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    if (rank == 0) throw IndexError(fmt::format("axis {} out of range for rank 0, which has no axes", axis));
    throw IndexError(fmt::format("axis {} out of range for rank {} [{}, {}]", axis, rank, -rank, rank - 1));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Ints normal_axes(const Ints& axes, int rank) {
  Ints r;
  for (std::int64_t a : axes) {
    const int axis = normal_axis(a, rank);
    if (r.contains(axis)) throw IndexError(fmt::format("axis {} appears twice in {}", axis, axes.text()));
    r.push_back(axis);
  }
  std::sort(r.begin(), r.end());
  return r;
}

}  // namespace weft
