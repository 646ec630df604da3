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

constexpr const char *max_pools[] = {"MaxPool1d", "MaxPool2d", "MaxPool3d"},
                     *avg_pools[] = {"AvgPool1d", "AvgPool2d", "AvgPool3d"},
                     *adaptive_max_pools[] = {"AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"},
                     *adaptive_avg_pools[] = {"AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"};

template <int axes> std::string layer_text(const char* const (&kinds)[3], const PerAxis& numbers) {
  return fmt::format("{} {}", kinds[axes - 1], numbers.of(axes, "window").text());
}

}  // namespace

template <int axes> Tensor MaxPool<axes>::operator()(const Arg& x) const {
  const LayerScope layer(max_pools[axes - 1]);
  return choose<axes>(max_pool1d, max_pool2d, max_pool3d, x, window, options);
}
template <int axes> std::string MaxPool<axes>::text() const { return layer_text<axes>(max_pools, window); }

template <int axes> Tensor AvgPool<axes>::operator()(const Arg& x) const {
  const LayerScope layer(avg_pools[axes - 1]);
  return choose<axes>(avg_pool1d, avg_pool2d, avg_pool3d, x, window, options);
}
template <int axes> std::string AvgPool<axes>::text() const { return layer_text<axes>(avg_pools, window); }

template <int axes> Tensor AdaptiveMaxPool<axes>::operator()(const Arg& x) const {
  const LayerScope layer(adaptive_max_pools[axes - 1]);
  return choose<axes>(adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d, x, results, channels_last);
}
template <int axes> std::string AdaptiveMaxPool<axes>::text() const {
  return layer_text<axes>(adaptive_max_pools, results);
}

template <int axes> Tensor AdaptiveAvgPool<axes>::operator()(const Arg& x) const {
  const LayerScope layer(adaptive_avg_pools[axes - 1]);
  return choose<axes>(adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, x, results, channels_last);
}
template <int axes> std::string AdaptiveAvgPool<axes>::text() const {
  return layer_text<axes>(adaptive_avg_pools, results);
}

Tensor GlobalAvgPool::operator()(const Arg& x) const {
  const LayerScope layer("GlobalAvgPool");
  return global_avg_pool(x, channels_last);
}
Tensor GlobalMaxPool::operator()(const Arg& x) const {
  const LayerScope layer("GlobalMaxPool");
  return global_max_pool(x, channels_last);
}

Tensor Flatten::operator()(const Arg& x) const {
  const LayerScope layer("Flatten");
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
template struct AdaptiveMaxPool<1>;
template struct AdaptiveMaxPool<2>;
template struct AdaptiveMaxPool<3>;
template struct AdaptiveAvgPool<1>;
template struct AdaptiveAvgPool<2>;
template struct AdaptiveAvgPool<3>;

}  // namespace weft::nn
