#include "loss_scale.h"

#include <fmt/format.h>

#include <cmath>

#include "../ops/apply.h"
#include "../ops/math.h"
#include "../ops/reduce.h"
#include "../tensor/create.h"

namespace weft::nn {

using weft::detail::called;

namespace {
constexpr double most = 0x1p60;  // where gradients are all 0, nothing else would stop it
}

LossScale::LossScale(LossScaleOptions options, Site site)
    : options_(options),
      scale_(full({}, options.initial, f32), false, "loss_scale", site),
      steps_(zeros({}, i64), false, "loss_scale.steps", site) {
  called("LossScale", site, [&] {
    for (const auto& [name, value] : {std::pair{"initial", options.initial}, {"growth", options.growth}})
      if (!(value >= 1 && std::isfinite(value)))
        throw ArgumentError(fmt::format("{} is {}, not a finite number from 1", name, value));
    if (options.initial > most) throw ArgumentError(fmt::format("initial is {}, above 2^60", options.initial));
    if (!(options.backoff > 0 && options.backoff < 1))
      throw ArgumentError(fmt::format("backoff is {}, not in (0, 1)", options.backoff));
    if (options.interval < 1) throw ArgumentError(fmt::format("interval is {}, below 1", options.interval));
  });
}

Tensor LossScale::scaled(const Arg& loss) const {
  const SiteScope scope(loss.site());
  const Tensor t = loss.tensor();
  return t * cast(scale_, t.dtype());
}

Tensor LossScale::apply(Optimizer& optimizer, const Gradients& gradients, Site site) {
  return called("LossScale", site, [&] {
    Gradients unscaled;
    Tensor finite = full({}, 1, DType::boolean);
    Parameters changed = optimizer.state();
    for (const auto& [variable, gradient] : gradients) {
      const Variable v = Variable::handle(variable);
      if (!gradient.defined()) {
        unscaled.add(v, gradient);  // the optimizer passes it over, or says that all are
        continue;
      }
      finite = logical_and(finite, all(isfinite(gradient)));
      unscaled.add(v, gradient / cast(scale_, gradient.dtype()));
      changed.emplace_back(v.name(), v);
    }
    std::vector<Tensor> before;
    for (const Parameter& p : changed) before.push_back(p.variable().value());
    optimizer.apply(unscaled, site);
    for (std::size_t i = 0; i < changed.size(); ++i) {
      Variable v = changed[i].variable();
      if (!v.value().same(before[i])) v.assign(where(finite, v, before[i]));
    }
    const Tensor steps = where(finite, steps_ + 1, 0), grows = steps >= options_.interval;
    scale_.assign(where(finite, where(grows, minimum(scale_ * options_.growth, most), scale_),
                        maximum(scale_ * options_.backoff, 1)));
    steps_.assign(where(grows, 0, steps));
    return finite;
  });
}

Parameters LossScale::state() const { return {{scale_.name(), scale_}, {steps_.name(), steps_}}; }

}  // namespace weft::nn
