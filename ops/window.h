// How a window moves over the spatial axes of a tensor: what convolutions and pools are told.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "../tensor/options.h"
#include "../tensor/shape.h"

namespace weft {

/// A number for each spatial axis: one for all of them, or one each.
class PerAxis {
 public:
  PerAxis() = default;  ///< not given
  PerAxis(std::int64_t all) : numbers_{all} {}
  PerAxis(std::initializer_list<std::int64_t> each) : numbers_(each) {}
  PerAxis(const Ints& each) : numbers_(each) {}
  /// The numbers of so many axes. ArgumentError if there are others than one or that many; it says of `what`.
  Ints of(int axes, std::string_view what) const;
  bool given() const { return !numbers_.empty(); }
  WEFT_OPTIONS(numbers_)

 private:
  Ints numbers_;
};

/// Pad::valid: none. Pad::same: as many results as there are strides in the axis, begun or whole; of an odd number the
/// larger half comes after (TensorFlow's rule, and PyTorch's).
enum class Pad : std::uint8_t { valid, same };

/// How many elements are thought around each spatial axis: 1 on all sides, {1, 2} on both sides of the first and the
/// second axis, Padding(before, after) with a PerAxis each.
struct Padding {
  Padding(Pad rule = Pad::valid) : same(rule == Pad::same) {}
  Padding(std::int64_t all) : before(all), after(all) {}
  Padding(std::initializer_list<std::int64_t> each) : before(each), after(each) {}
  Padding(const PerAxis& before_, const PerAxis& after_) : before(before_), after(after_) {}

  bool same = false;
  PerAxis before = 0, after = 0;
  WEFT_OPTIONS(same, before, after)
};

}  // namespace weft
