#include "clip.h"

#include <fmt/format.h>

#include "../ops/math.h"
#include "../ops/reduce.h"
#include "../tensor/create.h"

namespace weft::nn {
namespace {

// each(visit) calls visit(gradient) for every one.
template <class Each> Tensor clip(Each each, double max_norm) {
  if (!(max_norm > 0)) throw ArgumentError(fmt::format("max_norm is {}, not above 0", max_norm));
  DType type = f32;
  each([&](Tensor& g) {
    if (!is_floating(g.dtype())) throw DTypeError(fmt::format("a gradient is {}, not a float", g.type().text()));
    type = g.dtype() == f64 ? f64 : type;
  });
  Tensor total;  // in f64: the square of 1e30 is no f32
  each([&](Tensor& g) {
    const Tensor s = sum(square(cast(g, f64)));
    total = total.defined() ? total + s : s;
  });
  if (!total.defined()) return zeros({}, type);
  const Tensor norm = sqrt(total);
  const Tensor scale = where(norm <= max_norm, 1, max_norm / norm);  // NaN is not <= max_norm: it spreads
  each([&](Tensor& g) {
    const DType wide = compute_type(g.dtype());
    const Tensor before = cast(g, wide);
    // What has no gradient has none after it, whatever the norm: then a step looks at no other rows of a table than its
    // own, under Adagrad too.
    g = cast(where(before == 0, before, before * cast(scale, wide)), g.dtype());
  });
  return cast(norm, type);
}

}  // namespace

Tensor clip_by_global_norm(Gradients& gradients, double max_norm, Site site) {
  const auto each = [&](auto visit) {
    for (auto& item : gradients)
      if (item.gradient.defined()) visit(item.gradient);
  };
  return weft::detail::called("clip_by_global_norm", site, [&] { return clip(each, max_norm); });
}

Tensor clip_by_global_norm(std::vector<Tensor>& gradients, double max_norm, Site site) {
  const auto each = [&](auto visit) {
    for (Tensor& g : gradients)
      if (g.defined()) visit(g);
  };
  return weft::detail::called("clip_by_global_norm", site, [&] { return clip(each, max_norm); });
}

}  // namespace weft::nn
