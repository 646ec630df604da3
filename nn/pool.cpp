#include "pool.h"

#include <fmt/format.h>

#include "../ops/composition.h"
#include "../ops/manipulate.h"
#include "layer_scope.h"

namespace weft::nn {
namespace {

// The function for so many axes.
template <int axes, class F> Tensor choose(F one, F two, F three, const auto&... args) {
  return (axes == 1 ? one : axes == 2 ? two : three)(args...);
}

template <int axes> std::string layer_text(const char* name, const PerAxis& numbers) {
  return fmt::format("{}{}d {}", name, axes, numbers.of(axes, "window").text());
}

}  // namespace

template <int axes> Tensor MaxPool<axes>::operator()(const Arg& x) const {
  const LayerScope layer("MaxPool");
  return choose<axes>(max_pool1d, max_pool2d, max_pool3d, x, window, options);
}
template <int axes> std::string MaxPool<axes>::text() const { return layer_text<axes>("MaxPool", window); }

template <int axes> Tensor AvgPool<axes>::operator()(const Arg& x) const {
  const LayerScope layer("AvgPool");
  return choose<axes>(avg_pool1d, avg_pool2d, avg_pool3d, x, window, options);
}
template <int axes> std::string AvgPool<axes>::text() const { return layer_text<axes>("AvgPool", window); }

template <int axes> Tensor AdaptiveAvgPool<axes>::operator()(const Arg& x) const {
  const LayerScope layer("AdaptiveAvgPool");
  return choose<axes>(adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, x, results, channels_last);
}
template <int axes> std::string AdaptiveAvgPool<axes>::text() const {
  return layer_text<axes>("AdaptiveAvgPool", results);
}

Tensor Flatten::operator()(const Arg& x) const {
  return weft::detail::composed("Flatten", {{"x", x}}, [&] {
    const Tensor t = x.tensor();
    if (t.rank() == 0) throw ShapeError("there is no batch axis");
    Shape rest = t.shape();
    rest.erase(0);
    return reshape(t, {t.shape()[0], count(rest)});
  });
}

template struct MaxPool<1>;
template struct MaxPool<2>;
template struct MaxPool<3>;
template struct AvgPool<1>;
template struct AvgPool<2>;
template struct AvgPool<3>;
template struct AdaptiveAvgPool<1>;
template struct AdaptiveAvgPool<2>;
template struct AdaptiveAvgPool<3>;

}  // namespace weft::nn
