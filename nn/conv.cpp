#include "conv.h"

#include <fmt/format.h>

#include "../ops/manipulate.h"
#include "layer_scope.h"
#include "precision.h"

namespace weft::nn {
namespace {

// [out, in / groups, window...], once all is known to be at least 1.
Shape weight_shape(std::int64_t in, std::int64_t out, const Ints& window, std::int64_t groups) {
  if (in < 1 || out < 1) throw ArgumentError(fmt::format("{} -> {}", in, out), "both extents are at least 1");
  for (const std::int64_t extent : window)
    if (extent < 1) throw ArgumentError(fmt::format("window {} is below 1", window.text()));
  if (groups < 1 || in % groups || out % groups)
    throw ArgumentError(fmt::format("{} groups of {} -> {}", groups, in, out), "groups divides both");
  Shape s{out, in / groups};
  for (const std::int64_t extent : window) s.push_back(extent);
  return s;
}

std::string layer_text(const char* name, int axes, std::int64_t in, std::int64_t out, const Shape& weight,
                       std::int64_t groups, const PerAxis& stride, bool bias) {
  const Ints window(std::span(weight.begin() + 2, weight.end())), steps = stride.of(axes, "stride");
  std::string s = fmt::format("{}{}d {} -> {}, window {}", name, axes, in, out, window.text());
  if (steps != Ints::filled(axes, 1)) s += fmt::format(", stride {}", steps.text());
  if (groups > 1) s += fmt::format(", {} groups", groups);
  return bias ? s : s + " without bias";
}

}  // namespace

template <int axes>
Conv<axes>::Conv(std::int64_t in, std::int64_t out, const PerAxis& window, const ConvOptions& options_, Flag with_bias,
                 init::Initializer initializer, DType dtype, random::Generator& generator, Site site)
    : options(options_) {
  weft::detail::called(fmt::format("Conv{}d", axes), site, [&] {
    const Shape shape = weight_shape(in, out, window.of(axes, "window"), options.groups);
    weight = Variable(init::initial(initializer, shape, dtype, generator), true, "weight");
    if (with_bias) bias.emplace(zeros({out}, dtype), true, "bias");
  });
}

template <int axes> Tensor Conv<axes>::operator()(const Arg& x) const {
  constexpr const char* kinds[] = {"Conv1d", "Conv2d", "Conv3d"};
  const LayerScope layer(kinds[axes - 1], &weight);
  constexpr auto with = [](auto&&... a) {
    if constexpr (axes == 1)
      return conv1d(a...);
    else if constexpr (axes == 2)
      return conv2d(a...);
    else
      return conv3d(a...);
  };
  const Tensor input = narrow(x), w = narrow(weight);
  const Arg at(input, x.site());
  return bias ? with(at, w, narrow(*bias), options) : with(at, w, options);
}

template <int axes> std::string Conv<axes>::text() const {
  const Shape& s = weight.shape();
  return layer_text("Conv", axes, s[1] * options.groups, s[0], s, options.groups, options.stride, bias.has_value());
}

template <int axes>
ConvTranspose<axes>::ConvTranspose(std::int64_t in, std::int64_t out, const PerAxis& window,
                                   const ConvTransposeOptions& options_, Flag with_bias, init::Initializer initializer,
                                   DType dtype, random::Generator& generator, Site site)
    : options(options_) {
  weft::detail::called(fmt::format("ConvTranspose{}d", axes), site, [&] {
    const std::int64_t groups = options.groups;
    const Shape shape = weight_shape(in, out, window.of(axes, "window"), groups);
    // [out, in / groups, window...] as [in, out / groups, window...]: within each group the two exchanged
    Shape parted = shape, turned = shape;
    parted[0] /= groups;
    parted.insert(0, groups);
    turned[0] = in;
    turned[1] = out / groups;
    const Tensor drawn = init::initial(initializer, shape, dtype, generator);
    weight = Variable(contiguous(reshape(swap_axes(reshape(drawn, parted), 1, 2), turned)), true, "weight");
    if (with_bias) bias.emplace(zeros({out}, dtype), true, "bias");
  });
}

template <int axes> Tensor ConvTranspose<axes>::operator()(const Arg& x) const {
  constexpr const char* kinds[] = {"ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"};
  const LayerScope layer(kinds[axes - 1], &weight);
  constexpr auto with = [](auto&&... a) {
    if constexpr (axes == 1)
      return conv_transpose1d(a...);
    else if constexpr (axes == 2)
      return conv_transpose2d(a...);
    else
      return conv_transpose3d(a...);
  };
  const Tensor input = narrow(x), w = narrow(weight);
  const Arg at(input, x.site());
  return bias ? with(at, w, narrow(*bias), options) : with(at, w, options);
}

template <int axes> std::string ConvTranspose<axes>::text() const {
  const Shape& s = weight.shape();
  return layer_text("ConvTranspose", axes, s[0], s[1] * options.groups, s, options.groups, options.stride,
                    bias.has_value());
}

template struct Conv<1>;
template struct Conv<2>;
template struct Conv<3>;
template struct ConvTranspose<1>;
template struct ConvTranspose<2>;
template struct ConvTranspose<3>;

}  // namespace weft::nn
