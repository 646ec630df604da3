#include "normalization.h"

#include <fmt/format.h>

#include "../ops/apply.h"
#include "../ops/composition.h"
#include "../ops/math.h"
#include "../ops/normalization.h"
#include "../ops/recorder.h"
#include "../tensor/site.h"
#include "layer_scope.h"
#include "mode.h"
#include "precision.h"

namespace weft::nn {
namespace {

void check_extents(const Shape& normalized) {
  bool positive = !normalized.empty();
  for (const std::int64_t n : normalized) positive = positive && n >= 1;
  if (!positive) throw ArgumentError(fmt::format("over {}", normalized.text()), "all extents are at least 1");
}

void add_affine(std::optional<Variable>& weight, std::optional<Variable>& bias, const Shape& shape, DType dtype) {
  weight.emplace(ones(shape, dtype), true, "weight");
  bias.emplace(zeros(shape, dtype), true, "bias");
}

// What the function takes: undefined for what the layer has not.
Tensor value_of(const std::optional<Variable>& v) { return v ? v->value() : Tensor(); }

// What a layer on channels computes from; an error shows its call.
Tensor with_channels(const char* name, const Arg& x, std::int64_t channels, const std::string& text) {
  const Tensor t = x.tensor();
  if (t.defined() && (t.rank() < 2 || t.shape()[1] != channels))
    weft::detail::fail_in(name,
                          ShapeError(fmt::format("{} takes [N, {}, ...], not {}", text, channels, t.shape().text())),
                          {describe_operand("x", t)});
  return widen(t);
}

}  // namespace

BatchNorm::BatchNorm(std::int64_t channels, double eps, double share, Flag affine, DType dtype, Site site)
    : epsilon(eps), momentum(share) {
  weft::detail::called("BatchNorm", site, [&] {
    check_extents({channels});
    if (!(momentum >= 0 && momentum <= 1)) throw ArgumentError(fmt::format("momentum {} is not in [0, 1]", momentum));
    if (affine) add_affine(weight, bias, {channels}, dtype);
    running_mean = Variable(zeros({channels}, dtype), false, "running_mean");
    running_var = Variable(ones({channels}, dtype), false, "running_var");
  });
}

Tensor BatchNorm::operator()(const Arg& x) const {
  const LayerScope layer("BatchNorm", weight);
  const SiteScope scope(x.site());
  const Tensor t = with_channels("BatchNorm", x, running_mean.size(), text());
  if (!training())
    return weft::detail::composed("BatchNorm", {{"x           ", x}, {"running_var", running_var}}, [&] {
      return narrow(batch_norm(t, running_mean, running_var, value_of(weight), value_of(bias), epsilon));
    });
  const BatchNormed r = batch_norm_training(t, value_of(weight), value_of(bias), epsilon);
  const double n = static_cast<double>(t.size() / running_mean.size());
  const auto follow = [&](const Variable& running, const Tensor& batch) {
    Variable::handle(running.state()).assign(running * (1 - momentum) + stop_gradient(batch) * momentum);
  };
  follow(running_mean, r.mean);
  follow(running_var, r.variance * (n / (n - 1)));
  return narrow(r.output);
}

std::string BatchNorm::text() const { return fmt::format("BatchNorm {}", running_mean.size()); }

LayerNorm::LayerNorm(const Shape& extents, double eps, Flag affine, Flag with_bias, DType dtype, Site site)
    : normalized(extents), epsilon(eps) {
  weft::detail::called("LayerNorm", site, [&] {
    check_extents(normalized);
    if (affine) add_affine(weight, bias, normalized, dtype);
    if (!with_bias) bias.reset();
  });
}

Tensor LayerNorm::operator()(const Arg& x) const {
  const LayerScope layer("LayerNorm", weight);
  return narrow(layer_norm(Arg(widen(x), x.site()), normalized, value_of(weight), value_of(bias), epsilon));
}

std::string LayerNorm::text() const { return "LayerNorm " + normalized.text(); }

RMSNorm::RMSNorm(const Shape& extents, double eps, Flag affine, DType dtype, Site site)
    : normalized(extents), epsilon(eps) {
  weft::detail::called("RMSNorm", site, [&] {
    check_extents(normalized);
    if (affine) weight.emplace(ones(normalized, dtype), true, "weight");
  });
}

Tensor RMSNorm::operator()(const Arg& x) const {
  const LayerScope layer("RMSNorm", weight);
  return narrow(rms_norm(Arg(widen(x), x.site()), normalized, value_of(weight), epsilon));
}

std::string RMSNorm::text() const { return "RMSNorm " + normalized.text(); }

GroupNorm::GroupNorm(std::int64_t groups_, std::int64_t channels_, double eps, Flag affine, DType dtype, Site site)
    : groups(groups_), channels(channels_), epsilon(eps) {
  weft::detail::called("GroupNorm", site, [&] {
    check_extents({groups, channels});
    if (channels % groups != 0)
      throw ArgumentError(fmt::format("{} groups do not divide {} channels", groups, channels));
    if (affine) add_affine(weight, bias, {channels}, dtype);
  });
}

Tensor GroupNorm::operator()(const Arg& x) const {
  const LayerScope layer("GroupNorm", weight);
  const SiteScope scope(x.site());
  return narrow(
      group_norm(with_channels("GroupNorm", x, channels, text()), groups, value_of(weight), value_of(bias), epsilon));
}

std::string GroupNorm::text() const { return fmt::format("GroupNorm {} groups of {}", groups, channels / groups); }

InstanceNorm::InstanceNorm(std::int64_t channels_, double eps, Flag affine, DType dtype, Site site)
    : channels(channels_), epsilon(eps) {
  weft::detail::called("InstanceNorm", site, [&] {
    check_extents({channels});
    if (affine) add_affine(weight, bias, {channels}, dtype);
  });
}

Tensor InstanceNorm::operator()(const Arg& x) const {
  const LayerScope layer("InstanceNorm", weight);
  const SiteScope scope(x.site());
  return narrow(
      instance_norm(with_channels("InstanceNorm", x, channels, text()), value_of(weight), value_of(bias), epsilon));
}

std::string InstanceNorm::text() const { return fmt::format("InstanceNorm {}", channels); }

}  // namespace weft::nn
