// Shapes: up to 12 dimensions, kept inline; sizes in checked 64-bit arithmetic.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "dtype.h"

namespace weft {

inline constexpr int max_rank = 12;

/// A short list of integers: axes, strides, offsets. At most max_rank of them.
class Ints {
 public:
  Ints() {}                                                   // not defaulted: Ints{} would zero the array
  Ints(const Ints& o) noexcept : size_(o.size_) { copy(o); }  // a vector of layers that grows moves them then
  Ints& operator=(const Ints& o) noexcept {
    size_ = o.size_;
    copy(o);
    return *this;
  }
  Ints(std::initializer_list<std::int64_t> list) : Ints(std::span(list.begin(), list.size())) {}
  Ints(std::span<const std::int64_t> list);  // ShapeError if there are more than max_rank
  Ints(const std::vector<std::int64_t>& list) : Ints(std::span<const std::int64_t>(list)) {}
  /// n times the same number.
  static Ints filled(int n, std::int64_t value);

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Number i, which there has to be; counted from the back if it is negative.
  std::int64_t operator[](int i) const { return data_[place(i)]; }
  std::int64_t& operator[](int i) { return data_[place(i)]; }
  std::int64_t back() const { return data_[static_cast<std::size_t>(size_ - 1)]; }
  const std::int64_t* begin() const { return data_.data(); }
  const std::int64_t* end() const { return data_.data() + size_; }
  std::int64_t* begin() { return data_.data(); }
  std::int64_t* end() { return data_.data() + size_; }
  void push_back(std::int64_t v);
  void insert(int at, std::int64_t v);
  void erase(int at);
  bool contains(std::int64_t v) const;

  bool operator==(const Ints& o) const {
    if (size_ != o.size_) return false;
    for (int i = 0; i < size_; ++i)
      if (data_[i] != o.data_[i]) return false;
    return true;
  }
  /// "[2, 3]"
  std::string text() const;
  friend std::ostream& operator<<(std::ostream& out, const Ints& ints);

 private:
  std::size_t place(int i) const {  // kernels' loops come here: no test of the range but in a debug build
    assert(i >= -size_ && i < size_);
    return static_cast<std::size_t>(i < 0 ? i + size_ : i);
  }
  void copy(const Ints& o) {  // the few there are, not the whole array
    for (int i = 0; i < size_; ++i) data_[i] = o.data_[i];
  }
  std::array<std::int64_t, max_rank> data_;
  std::int8_t size_ = 0;
};

/// The extents of a tensor, all >= 0.
using Shape = Ints;

/// Number of elements; ShapeError if an extent is negative or the count overflows 63 bits. 1 for rank 0.
std::int64_t count(const Shape& shape);
/// Row-major strides, in elements.
Ints contiguous_strides(const Shape& shape);
/// `axis` in [-rank, rank) as a number in [0, rank); IndexError otherwise.
int normal_axis(std::int64_t axis, int rank);
/// All of `axes` normalised, sorted, each once; IndexError for a duplicate or one out of range.
Ints normal_axes(const Ints& axes, int rank);

/// What a tensor is: its element type and its shape.
struct Type {
  DType dtype = DType::f32;
  Shape shape;

  bool operator==(const Type&) const = default;
  /// Of all its elements; ShapeError if their count overflows.
  std::int64_t bytes() const { return count(shape) * static_cast<std::int64_t>(size_of(dtype)); }
  /// "f32[2, 3]"
  std::string text() const;
};

}  // namespace weft
