// Images and other grids, [n, c, spatial...] as PyTorch's: windows, resizing, and channels as pixels.
#pragma once

#include "arg.h"
#include "flag.h"

namespace weft {

/// How windows go over the spatial axes; an empty list means 1 (padding: 0) for each.
struct WindowOptions {
  Ints stride = {}, padding = {}, dilation = {};
};
/// Each window's elements as a column: [n, c, spatial...] -> [n, c * kernel elements, windows], 0 outside. As many
/// spatial axes as the kernel has. ArgumentError for a kernel, stride or dilation below 1, a negative padding, and a
/// kernel larger than what it goes over; ShapeError for another rank.
Tensor unfold(const Arg& x, const Ints& kernel, const WindowOptions& options = {});
/// The opposite: columns added into a grid of these spatial extents where windows overlap; unfold's gradient.
Tensor fold(const Arg& x, const Ints& spatial, const Ints& kernel, const WindowOptions& options = {});

enum class Interpolation : std::uint8_t { nearest, linear };
/// x resized to these spatial extents (all but the first two axes). Nearest: element floor(i * n / size). Linear
/// (bilinear for two axes, and so on): at (i + 0.5) * n / size - 0.5, not before the first; align_corners: at i * (n -
/// 1) / (size - 1). ArgumentError for an extent below 1, ShapeError for another rank or of nothing, DTypeError of
/// integers if linear.
Tensor interpolate(const Arg& x, const Ints& size, Interpolation mode = Interpolation::nearest,
                   Flag align_corners = false);

/// [..., c * r * r, h, w] -> [..., c, h * r, w * r]: channels as the pixels of r by r squares. ShapeError.
Tensor pixel_shuffle(const Arg& x, std::int64_t r);
/// The opposite.
Tensor pixel_unshuffle(const Arg& x, std::int64_t r);

}  // namespace weft
