// Windows: where a window lies over the spatial axes, in checked arithmetic. Part of the attributes of convolutions and
// pools.
#pragma once

#include "../../tensor/tensor.h"
#include "../window.h"

namespace weft {

/// Position k of result i of an axis is element i * stride - before + k * dilation; outside [0, in) it is padding.
struct Windows {
  Ints in, window, stride, before, after, dilation;  // by spatial axis

  void each(auto&& f) const {
    f("in", in), f("window", window), f("stride", stride), f("before", before), f("after", after);
    f("dilation", dilation);
  }
  /// How many results each axis has. ArgumentError for what can't be: a stride, dilation or window below 1, a negative
  /// padding, a window larger than the padded axis, an extent that overflows.
  Ints results() const;

  static Windows over(const Ints& in, const Ints& window, const PerAxis& stride, const Padding& padding,
                      const PerAxis& dilation);
  /// Those with `out` results, over the least extent that gives so many and `further` elements (fewer than the stride).
  static Windows from(const Ints& out, const Ints& window, const PerAxis& stride, const Padding& padding,
                      const PerAxis& dilation, const Ints& further);
};

namespace detail {
/// The spatial axes of [n, axes..., channels].
Ints spatial(const Shape& shape);
/// [n, axes..., channels].
Shape around(std::int64_t n, const Ints& axes, std::int64_t channels);
/// [n, channels, axes...] as [n, axes..., channels], and back: views.
Tensor channels_last(const Tensor& x);
Tensor channels_first(const Tensor& x);
/// [a, b, ...] as [a * b, ...], and back.
Tensor joined(const Tensor& x);
Tensor parted(const Tensor& x, std::int64_t a);
}  // namespace detail

}  // namespace weft
