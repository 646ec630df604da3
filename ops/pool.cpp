#include "pool.h"

#include <fmt/format.h>

#include <string>

#include "apply.h"
#include "compose.h"
#include "composition.h"
#include "defs/pool.h"
#include "recorder.h"
#include "reduce.h"

namespace weft {
namespace {

using detail::spatial;

// A public function's body: brings x into place, names errors, brings the result back. No axes: any, where they are.
template <class F> Tensor pool(const char* name, int axes, const Arg& x, bool channels_last, F&& result) {
  return detail::composed(name, {{"x", x}}, [&] {
    const Tensor t = x.tensor();
    if (axes ? t.rank() != axes + 2 : t.rank() < 3)
      throw ShapeError(
          fmt::format("the input has rank {}, not {}", t.rank(), axes ? std::to_string(axes + 2) : "3 or more"),
          channels_last ? "it is [batch, axes..., channels]" : "it is [batch, channels, axes...]");
    if (channels_last || !axes) return result(t);
    return detail::channels_first(result(detail::channels_last(t)));
  });
}

Tensor largest(const Tensor& x, const PoolAttrs& a) { return apply<MaxPick>({x, x}, a); }
Tensor average(const Tensor& x, const PoolAttrs& a) { return apply<AvgPool>({x}, a); }

PoolAttrs moving(const Tensor& x, const PerAxis& window, const PerAxis& stride, const Padding& padding,
                 const PerAxis& dilation, bool count_include_pad) {
  const Ints in = spatial(x.shape()), extents = window.of(in.size(), "window");
  return {
      Windows::over(in, extents, stride.given() ? stride : PerAxis(extents), padding, dilation), {}, count_include_pad};
}

// Of equal parts, a plain pool.
PoolAttrs adapted(const Tensor& x, const PerAxis& results) {
  const Ints in = spatial(x.shape()), out = results.of(in.size(), "results");
  const PoolAttrs a{Windows{in, {}, {}, {}, {}, {}}, out, false};
  a.results();
  Ints window;
  for (int i = 0; i < in.size(); ++i) {
    if (in[i] % out[i]) return a;
    window.push_back(in[i] / out[i]);
  }
  return {Windows::over(in, window, window, Pad::valid, 1), {}, true};
}

Tensor max_pool(const char* name, int axes, const Arg& x, const PerAxis& window, const MaxPoolOptions& o) {
  return pool(name, axes, x, o.channels_last,
              [&](const Tensor& t) { return largest(t, moving(t, window, o.stride, o.padding, o.dilation, true)); });
}
Tensor avg_pool(const char* name, int axes, const Arg& x, const PerAxis& window, const AvgPoolOptions& o) {
  return pool(name, axes, x, o.channels_last, [&](const Tensor& t) {
    return average(t, moving(t, window, o.stride, o.padding, 1, o.count_include_pad));
  });
}
Tensor adaptive_max_pool(const char* name, int axes, const Arg& x, const PerAxis& results, bool channels_last) {
  return pool(name, axes, x, channels_last, [&](const Tensor& t) { return largest(t, adapted(t, results)); });
}
Axes between(const Tensor& t, bool channels_last) {
  Ints axes;
  for (int i = channels_last ? 1 : 2; i < t.rank() - (channels_last ? 1 : 0); ++i) axes.push_back(i);
  return axes;
}

Tensor adaptive_avg_pool(const char* name, int axes, const Arg& x, const PerAxis& results, bool channels_last) {
  return pool(name, axes, x, channels_last, [&](const Tensor& t) {
    const PoolAttrs a = adapted(t, results);
    if (!a.adaptive.empty() || a.windows.window != a.windows.in) return average(t, a);
    // One result for each image and channel is a reduction, of x as it lies.
    if (channels_last) return mean(t, between(t, true), true);
    return detail::channels_last(mean(detail::channels_first(t), between(t, false), true));
  });
}

}  // namespace

#define WEFT_POOLS(axes)                                                                         \
  Tensor max_pool##axes##d(const Arg& x, const PerAxis& window, const MaxPoolOptions& options) { \
    return max_pool("max_pool" #axes "d", axes, x, window, options);                             \
  }                                                                                              \
  Tensor avg_pool##axes##d(const Arg& x, const PerAxis& window, const AvgPoolOptions& options) { \
    return avg_pool("avg_pool" #axes "d", axes, x, window, options);                             \
  }                                                                                              \
  Tensor adaptive_max_pool##axes##d(const Arg& x, const PerAxis& results, Flag channels_last) {  \
    return adaptive_max_pool("adaptive_max_pool" #axes "d", axes, x, results, channels_last);    \
  }                                                                                              \
  Tensor adaptive_avg_pool##axes##d(const Arg& x, const PerAxis& results, Flag channels_last) {  \
    return adaptive_avg_pool("adaptive_avg_pool" #axes "d", axes, x, results, channels_last);    \
  }
WEFT_POOLS(1)
WEFT_POOLS(2)
WEFT_POOLS(3)
#undef WEFT_POOLS

Tensor global_max_pool(const Arg& x, Flag channels_last) {
  return pool("global_max_pool", 0, x, channels_last,
              [&](const Tensor& t) { return max(t, between(t, channels_last)); });
}
Tensor global_avg_pool(const Arg& x, Flag channels_last) {
  return pool("global_avg_pool", 0, x, channels_last,
              [&](const Tensor& t) { return mean(t, between(t, channels_last)); });
}

}  // namespace weft
