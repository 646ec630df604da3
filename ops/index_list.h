// What kernels and rules of ops that address by index tensors share.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "batching.h"
#include "op.h"

namespace weft::detail {

/// All indices as i64 in [0, n), in row-major order, negative ones counted from the back: where they lie, or copied.
class IndexList {
 public:
  /// IndexError names the first that is not in [low, n); `low` is 0 or -n.
  IndexList(const View& view, std::int64_t n, std::int64_t low);
  std::size_t size() const { return static_cast<std::size_t>(size_); }
  const std::int64_t* begin() const { return data_; }
  const std::int64_t* end() const { return data_ + size_; }
  std::int64_t operator[](std::size_t k) const { return data_[k]; }

 private:
  const std::int64_t* data_ = nullptr;
  std::int64_t size_;
  Storage copy_;
};

/// DTypeError unless i32 or i64.
void check_index_type(const Type& t);
/// x's shape with axis `axis` replaced by the indices' shape.
Shape picked_shape(const Shape& x, const Shape& indices, int axis);

/// For a batch whose examples have indices of their own: all examples' axes end to end are one long axis.
/// x [b, pre, n, post] becomes [b * n, pre, post].
Tensor long_axis(const Tensor& x, int axis);
/// Operand 1 of a batched op, example i's index k as i * n + k.
Tensor long_indices(const Batching& b, std::int64_t n);
/// Axes [from, from + count) moved to begin at `to`.
Tensor move_axes(const Tensor& x, int from, int count, int to);

}  // namespace weft::detail
