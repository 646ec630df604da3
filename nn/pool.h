// Pools as layers, and Flatten. The functions themselves are in ops/pool.h.
#pragma once

#include <string>

#include "../ops/pool.h"

namespace weft::nn {

/// nn::MaxPool2d{2}, nn::MaxPool2d{3, {.stride = 2, .padding = 1}}
template <int axes> struct MaxPool {
  PerAxis window;
  MaxPoolOptions options = {};
  Tensor operator()(const Arg& x) const;
  std::string text() const;  ///< "MaxPool2d [2, 2]"
  WEFT_OPTIONS(window, options)
};
using MaxPool1d = MaxPool<1>;
using MaxPool2d = MaxPool<2>;
using MaxPool3d = MaxPool<3>;

template <int axes> struct AvgPool {
  PerAxis window;
  AvgPoolOptions options = {};
  Tensor operator()(const Arg& x) const;
  std::string text() const;
  WEFT_OPTIONS(window, options)
};
using AvgPool1d = AvgPool<1>;
using AvgPool2d = AvgPool<2>;
using AvgPool3d = AvgPool<3>;

/// nn::AdaptiveMaxPool2d{7}: 7 x 7 results a channel, whatever the input's extents.
template <int axes> struct AdaptiveMaxPool {
  PerAxis results;
  bool channels_last = false;
  Tensor operator()(const Arg& x) const;
  std::string text() const;
  WEFT_OPTIONS(results, channels_last)
};
using AdaptiveMaxPool1d = AdaptiveMaxPool<1>;
using AdaptiveMaxPool2d = AdaptiveMaxPool<2>;
using AdaptiveMaxPool3d = AdaptiveMaxPool<3>;

/// nn::AdaptiveAvgPool2d{1}: a result a channel.
template <int axes> struct AdaptiveAvgPool {
  PerAxis results;
  bool channels_last = false;
  Tensor operator()(const Arg& x) const;
  std::string text() const;
  WEFT_OPTIONS(results, channels_last)
};
using AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
using AdaptiveAvgPool2d = AdaptiveAvgPool<2>;
using AdaptiveAvgPool3d = AdaptiveAvgPool<3>;

struct GlobalAvgPool {
  bool channels_last = false;
  Tensor operator()(const Arg& x) const;
  std::string text() const { return "GlobalAvgPool"; }
  WEFT_OPTIONS(channels_last)
};
struct GlobalMaxPool {
  bool channels_last = false;
  Tensor operator()(const Arg& x) const;
  std::string text() const { return "GlobalMaxPool"; }
  WEFT_OPTIONS(channels_last)
};

/// [n, ...] as [n, the product of the rest]. ShapeError of a scalar.
struct Flatten {
  Tensor operator()(const Arg& x) const;
  std::string text() const { return "Flatten"; }
};

}  // namespace weft::nn
