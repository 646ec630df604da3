#include "optimizer.h"

#include <fmt/format.h>

#include <cmath>

#include "../ops/activations.h"
#include "../ops/apply.h"
#include "../ops/math.h"
#include "../ops/recorder.h"
#include "../tensor/create.h"
#include "../tensor/warn.h"
#include "layer_scope.h"

namespace weft::nn {
namespace {

double checked_rate(const char* what, double rate) {
  if (!(rate >= 0 && std::isfinite(rate)))
    throw ArgumentError(fmt::format("{} is {}, not a finite number from 0", what, rate));
  return rate;
}

void check_share(const char* what, double share) {
  if (!(share >= 0 && share < 1)) throw ArgumentError(fmt::format("{} {} is not in [0, 1)", what, share));
}

// The gradient of the loss and of decay p^2 / 2.
Tensor with_decay(const Tensor& gradient, const Tensor& p, double decay) {
  return decay != 0 ? gradient + p * decay : gradient;
}

std::string shown(const VariableState& v) { return fmt::format("\"{}\" {}", shortened(v.name), v.value.type().text()); }

}  // namespace

using weft::detail::called;

Optimizer::Optimizer(const char* kind, const std::vector<ParameterGroup>& groups, double learning_rate,
                     double weight_decay, std::vector<std::string> slot_names, const Site& site)
    : slot_names_(std::move(slot_names)), step_(zeros({}, i64), false, "step", site) {
  called(kind, site, [&] {
    for (const ParameterGroup& g : groups) add_group(g, learning_rate, weight_decay);
    if (slots_.empty()) throw ArgumentError("no trainable variables", "is all of it frozen? make the optimizer first");
  });
}

void Optimizer::add_group(const ParameterGroup& g, double learning_rate, double weight_decay) {
  const double rate = checked_rate("the learning rate", g.learning_rate.value_or(learning_rate));
  const double decay = checked_rate("the weight decay", g.weight_decay.value_or(weight_decay));
  const std::string number = std::to_string(groups_.size());
  for (const Parameter& p : g.parameters) {
    if (!p.trainable()) continue;
    if (!is_floating(p.type().dtype))
      throw DTypeError(fmt::format("the trainable variable {} is no float", shown(*p.state())),
                       "make it Variable(value, false)");
    if (!index_.emplace(p.state().get(), slots_.size()).second)
      throw ArgumentError(fmt::format("the variable {} is given twice", shown(*p.state())));
    Slot slot{p, groups_.size(), {}};
    for (std::size_t i = 0; i < slot_names_.size(); ++i)
      slot.values.emplace_back(zeros(p.shape(), compute_type(p.type().dtype)), false, slot_names_[i]);
    slots_.push_back(std::move(slot));
  }
  groups_.push_back({Variable(full({}, rate, f64), false, "learning_rate." + number), decay});
}

void Optimizer::apply(const Gradients& gradients, Site site) {
  called("apply", site, [&] { update_all(gradients); });
}

void Optimizer::apply(std::initializer_list<std::pair<std::reference_wrapper<const Variable>, Tensor>> list,
                      Site site) {
  called("apply", site, [&] {
    Gradients gradients;
    for (const auto& [variable, gradient] : list) gradients.add(variable, gradient);
    update_all(gradients);
  });
}

void Optimizer::update_all(const Gradients& gradients) {
  const LayerScope scope("optimizer update");
  struct Work {
    Slot* slot;
    const Tensor* gradient;
  };
  std::vector<Work> work;
  std::vector<bool> seen(slots_.size());
  std::string passed_over;
  tell_variables_apart();
  for (const auto& [variable, gradient] : gradients) {  // all checks come before any change
    const auto at = index_.find(variable.get());
    if (at == index_.end())
      throw ArgumentError(fmt::format("the variable {} is none of this optimizer's", shown(*variable)),
                          "it trains what it was made for, and of that what was not frozen then");
    if (seen[at->second]) throw ArgumentError(fmt::format("two gradients for the variable {}", shown(*variable)));
    seen[at->second] = true;
    if (!gradient.defined()) {
      if (!warned_ && variable->trainable()) passed_over += (passed_over.empty() ? "" : ", ") + shown(*variable);
      continue;
    }
    const auto fail = [&](auto error) {
      weft::detail::fail_in(
          "apply", error, {describe_operand("variable  ", variable->value), describe_operand("gradient  ", gradient)});
    };
    const Type& type = variable->type;
    if (gradient.dtype() != type.dtype)
      fail(DTypeError(
          fmt::format("the gradient is {}, its variable {}", name_of(gradient.dtype()), name_of(type.dtype))));
    if (gradient.shape() != type.shape)
      fail(ShapeError(
          fmt::format("the gradient has shape {}, its variable {}", gradient.shape().text(), type.shape.text())));
    work.push_back({&slots_[at->second], &gradient});
  }
  if (work.empty() && gradients.size() > 0)
    throw GradError(fmt::format("none of the {} variables has a gradient", gradients.size()),
                    "was the loss computed under the tape, from these variables? tape.explain(loss, variable) tells");
  if (!passed_over.empty()) {
    warned_ = true;
    warn("apply{}: variables without a gradient stay as they are: {}; tape.explain(loss, variable) tells why",
         at_line(), passed_over);
  }
  step_.assign_add(1);
  begin_step();
  for (const Work& w : work) {
    Variable v = w.slot->parameter.variable();
    const DType dtype = v.dtype(), type = compute_type(dtype);
    v.assign(cast(update(groups_[w.slot->group], *w.slot, cast(v.own_value(), type), cast(*w.gradient, type)), dtype));
  }
}

const Optimizer::Group& Optimizer::group_at(std::size_t group) const {
  if (group >= groups_.size()) throw IndexError(fmt::format("group {} of {}", group, groups_.size()));
  return groups_[group];
}

double Optimizer::learning_rate(std::size_t group, Site site) const {
  return called("learning_rate", site, [&] { return group_at(group).learning_rate.value().item(); });
}

void Optimizer::set_learning_rate(double rate, Site site) {
  for (std::size_t i = 0; i < groups_.size(); ++i) set_learning_rate(i, rate, site);
}

void Optimizer::set_learning_rate(std::size_t group, double rate, Site site) {
  called("set_learning_rate", site, [&] {
    if (active_tracer())
      throw GuardError("the rate would be this one at each call of the compiled function",
                       "set it before the call: the step reads the rate anew");
    Variable at = Variable::handle(group_at(group).learning_rate.state());
    at.assign(checked_rate("the learning rate", rate));
  });
}

Parameters Optimizer::state() const {
  Parameters list = {{"step", step_}};
  for (const Group& g : groups_) list.emplace_back(g.learning_rate.name(), g.learning_rate);
  for (std::size_t i = 0; i < slot_names_.size(); ++i)
    for (std::size_t k = 0; k < slots_.size(); ++k) {
      const std::string& path = slots_[k].parameter.path();
      list.emplace_back(slot_names_[i] + "." + (path.empty() ? std::to_string(k) : path), slots_[k].values[i]);
    }
  return list;
}

// ---- SGD ----
SGD::SGD(const std::vector<ParameterGroup>& groups, SgdOptions options, Site site)
    : Optimizer("SGD", groups, options.learning_rate, options.weight_decay,
                options.momentum != 0 ? std::vector<std::string>{"v"} : std::vector<std::string>{}, site),
      options_(options) {
  called("SGD", site, [&] {
    check_share("momentum", options.momentum);
    if (options.nesterov && options.momentum == 0) throw ArgumentError("nesterov without momentum");
  });
}

Tensor SGD::update(const Group& group, Slot& slot, const Tensor& p, const Tensor& gradient) {
  Tensor g = with_decay(gradient, p, group.weight_decay);
  if (options_.momentum != 0) {
    const Tensor v = slot.values[0] * options_.momentum + g;
    slot.values[0].assign(v);
    g = options_.nesterov ? g + v * options_.momentum : v;
  }
  return p - g * cast(group.learning_rate, p.dtype());
}

// ---- Adam, AdamW ----
Adam::Adam(const std::vector<ParameterGroup>& groups, const AdamOptions& options, bool decoupled, const Site& site)
    : Optimizer(decoupled ? "AdamW" : "Adam", groups, options.learning_rate, options.weight_decay, {"m", "v"}, site),
      options_(options),
      decoupled_(decoupled) {
  called(decoupled ? "AdamW" : "Adam", site, [&] {
    for (const double beta : {options.beta1, options.beta2}) check_share("beta", beta);
    checked_rate("epsilon", options.epsilon);
  });
}
Adam::Adam(const std::vector<ParameterGroup>& groups, AdamOptions options, Site site)
    : Adam(groups, options, false, site) {}
AdamW::AdamW(const std::vector<ParameterGroup>& groups, AdamWOptions o, Site site)
    : Adam(groups, {o.learning_rate, o.beta1, o.beta2, o.epsilon, o.weight_decay}, true, site) {}

void Adam::begin_step() {
  const Tensor t = cast(step(), f64);  // 1 - 0.999^1 in f32 would lose four digits
  correct1_ = reciprocal(1 - pow(options_.beta1, t));
  correct2_ = reciprocal(1 - pow(options_.beta2, t));
}

Tensor Adam::update(const Group& group, Slot& slot, const Tensor& before, const Tensor& gradient) {
  const DType type = before.dtype();
  const Tensor rate = group.learning_rate;
  Tensor p = before, g = gradient;
  if (group.weight_decay != 0) {
    if (decoupled_)
      p = p * cast(1 - rate * group.weight_decay, type);
    else
      g = g + p * group.weight_decay;
  }
  const Tensor m = slot.values[0] * options_.beta1 + g * (1 - options_.beta1);
  const Tensor v = slot.values[1] * options_.beta2 + square(g) * (1 - options_.beta2);
  slot.values[0].assign(m);
  slot.values[1].assign(v);
  return p - m * cast(rate * correct1_, type) / (sqrt(v * cast(correct2_, type)) + options_.epsilon);
}

// ---- RMSprop, Adagrad ----
namespace {

std::vector<std::string> rmsprop_slots(const RMSpropOptions& options) {
  std::vector<std::string> names = {"v"};
  if (options.centered) names.push_back("m");
  if (options.momentum != 0) names.push_back("step");
  return names;
}

}  // namespace

RMSprop::RMSprop(const std::vector<ParameterGroup>& groups, RMSpropOptions options, Site site)
    : Optimizer("RMSprop", groups, options.learning_rate, options.weight_decay, rmsprop_slots(options), site),
      options_(options) {
  called("RMSprop", site, [&] {
    check_share("momentum", options.momentum);
    check_share("rho", options.rho);
    checked_rate("epsilon", options.epsilon);
  });
}

Tensor RMSprop::update(const Group& group, Slot& slot, const Tensor& p, const Tensor& gradient) {
  const auto running = [&](Variable& value, const Tensor& now) {
    const Tensor next = value * options_.rho + now * (1 - options_.rho);
    value.assign(next);
    return next;
  };
  const Tensor g = with_decay(gradient, p, group.weight_decay);
  Tensor v = running(slot.values[0], square(g));
  if (options_.centered) v = relu(v - square(running(slot.values[1], g)));  // rounding may take it below 0
  Tensor step = g * cast(group.learning_rate, p.dtype()) / sqrt(v + options_.epsilon);
  if (options_.momentum != 0) {
    step = slot.values.back() * options_.momentum + step;
    slot.values.back().assign(step);
  }
  return p - step;
}

Adagrad::Adagrad(const std::vector<ParameterGroup>& groups, AdagradOptions options, Site site)
    : Optimizer("Adagrad", groups, options.learning_rate, options.weight_decay, {"s"}, site), options_(options) {
  called("Adagrad", site, [&] {
    checked_rate("the initial accumulator", options.initial_accumulator);
    checked_rate("epsilon", options.epsilon);
  });
}

Tensor Adagrad::update(const Group& group, Slot& slot, const Tensor& p, const Tensor& gradient) {
  const Tensor g = with_decay(gradient, p, group.weight_decay);
  // Said of what has no gradient, so that a step looks at no other rows of a table than its own.
  const Tensor none = g == 0;
  const Tensor s = where(none, slot.values[0], slot.values[0] + square(g));
  slot.values[0].assign(s);
  // The slot starts at 0, as all do: where the sum starts is added to it.
  const Tensor root = sqrt(s + (options_.initial_accumulator + options_.epsilon));
  return where(none, p, p - g * cast(group.learning_rate, p.dtype()) / root);
}

}  // namespace weft::nn
