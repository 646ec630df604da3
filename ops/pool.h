// Pools: the largest element, or the mean, of each window over one, two or three axes.
//
// By default x is [n, channels, axes...]; with channels_last [n, axes..., channels]: see conv.h.
#pragma once

#include "arg.h"
#include "flag.h"
#include "window.h"

namespace weft {

struct MaxPoolOptions {
  PerAxis stride = {};  ///< by default the window's extents
  Padding padding = Pad::valid;
  PerAxis dilation = 1;
  bool channels_last = false;
  WEFT_OPTIONS(stride, padding, dilation, channels_last)
};

/// The largest element of each window, where padding does not count; NaN if there is one. The gradient goes to the
/// first of equal elements, in row-major order. Numbers. ShapeError, DTypeError; ArgumentError as conv's, and for
/// padding that a window could lie in alone.
Tensor max_pool1d(const Arg& x, const PerAxis& window, const MaxPoolOptions& options = {});
Tensor max_pool2d(const Arg& x, const PerAxis& window, const MaxPoolOptions& options = {});
Tensor max_pool3d(const Arg& x, const PerAxis& window, const MaxPoolOptions& options = {});

struct AvgPoolOptions {
  PerAxis stride = {};  ///< by default the window's extents
  Padding padding = Pad::valid;
  bool count_include_pad = true;  ///< padding counts as zeros; false: it does not count
  bool channels_last = false;
  WEFT_OPTIONS(stride, padding, count_include_pad, channels_last)
};

/// The mean of each window: its sum, in row-major order, over its size. Floats. Errors as max_pool's.
Tensor avg_pool1d(const Arg& x, const PerAxis& window, const AvgPoolOptions& options = {});
Tensor avg_pool2d(const Arg& x, const PerAxis& window, const AvgPoolOptions& options = {});
Tensor avg_pool3d(const Arg& x, const PerAxis& window, const AvgPoolOptions& options = {});

/// Pools to `results` elements an axis, whatever its extent: result i is of the elements from floor(i * in / results)
/// to ceil((i + 1) * in / results). ArgumentError if there are to be fewer than one, or there are no elements.
Tensor adaptive_max_pool1d(const Arg& x, const PerAxis& results, Flag channels_last = false);
Tensor adaptive_max_pool2d(const Arg& x, const PerAxis& results, Flag channels_last = false);
Tensor adaptive_max_pool3d(const Arg& x, const PerAxis& results, Flag channels_last = false);
Tensor adaptive_avg_pool1d(const Arg& x, const PerAxis& results, Flag channels_last = false);
Tensor adaptive_avg_pool2d(const Arg& x, const PerAxis& results, Flag channels_last = false);
Tensor adaptive_avg_pool3d(const Arg& x, const PerAxis& results, Flag channels_last = false);

/// Over all axes but the batch's and the channels': [n, channels]. Of x of any rank from 3 on; plain reductions.
Tensor global_max_pool(const Arg& x, Flag channels_last = false);
Tensor global_avg_pool(const Arg& x, Flag channels_last = false);

}  // namespace weft
