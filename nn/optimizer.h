// Optimizers: they hold references to a model's variables, and one slot or two for each. Learning rate, step and slots
// are variables, all made at construction: a compiled step reads and assigns them, and never retraces because one
// changed.
//
//     nn::AdamW opt(model, {.learning_rate = 1e-3, .weight_decay = 0.1});
//     opt.apply(tape.gradient(loss, model));
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../autograd/gradients.h"
#include "../tensor/site.h"
#include "parameters.h"

namespace weft::nn {

/// Parameters that share a learning rate and a weight decay; what is not given is the optimizer's.
struct ParameterGroup {
  Parameters parameters;
  std::optional<double> learning_rate = {};
  std::optional<double> weight_decay = {};
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;

  /// One step: updates each variable that has a gradient; an undefined gradient is passed over, with no change to its
  /// slots, and with one warning an optimizer. ArgumentError for a variable that is not this optimizer's or given
  /// twice, ShapeError, DTypeError; nothing is changed then.
  void apply(const Gradients& gradients, Site site = Site::current());
  /// The same for any structure of variables and models, and what gradient() gives for it:
  /// opt.apply(layers, tape.gradient(loss, layers)), opt.apply(std::tie(w, b), tape.gradient(loss, w, b)).
  template <Structured S, Structured G> void apply(const S& sources, const G& gradients, Site site = Site::current()) {
    apply(by_variable(sources, gradients), site);
  }
  /// The same for loose variables: opt.apply({{W1, dW1}, {b1, db1}}).
  void apply(std::initializer_list<std::pair<std::reference_wrapper<const Variable>, Tensor>> gradients,
             Site site = Site::current());

  /// Of a group. Not while tracing: it reads the variable. IndexError for a group that does not exist.
  double learning_rate(std::size_t group = 0, Site site = Site::current()) const;
  /// Of all groups, or of one. ArgumentError if it is negative or not finite. Not while tracing.
  void set_learning_rate(double rate, Site site = Site::current());
  void set_learning_rate(std::size_t group, double rate, Site site = Site::current());
  std::size_t groups() const { return groups_.size(); }

  /// Steps done, i64[].
  const Variable& step() const { return step_; }
  /// Everything that changes: "step", "learning_rate.0", then each slot as "m.fc1.weight". What a checkpoint keeps.
  Parameters state() const;

 protected:
  struct Group {
    Variable learning_rate;  // f64[]: 0.1 stays 0.1
    double weight_decay;
  };
  struct Slot {
    Parameter parameter;
    std::size_t group;
    std::vector<Variable> values;  // zeros at first, of the compute type
  };

  /// Slots are named, one of each for every trainable parameter. ArgumentError for bad rates, or a variable in two
  /// groups: errors name the optimizer's kind and the site.
  Optimizer(const char* kind, const std::vector<ParameterGroup>& groups, double learning_rate, double weight_decay,
            std::vector<std::string> slot_names, const Site& site);

  /// What holds for the whole step, before any update: step() is already the number of this one, from 1.
  virtual void begin_step() {}
  /// p's next value, with p and the gradient in the compute type; assigns the slots.
  virtual Tensor update(const Group& group, Slot& slot, const Tensor& p, const Tensor& gradient) = 0;

 private:
  void add_group(const ParameterGroup& group, double learning_rate, double weight_decay);
  void update_all(const Gradients& gradients);
  const Group& group_at(std::size_t group) const;

  std::vector<std::string> slot_names_;
  std::vector<Group> groups_;
  std::vector<Slot> slots_;
  std::unordered_map<const VariableState*, std::size_t> index_;
  Variable step_;
  bool warned_ = false;  // of variables that have no gradient
};

namespace detail {
/// One group of all that is given; a model's variables get their paths as names.
inline std::vector<ParameterGroup> one_group(const Parameters& list) { return {{list}}; }
template <Structured M> std::vector<ParameterGroup> one_group(const M& model) {
  if constexpr (HasMembers<M>)
    return {{name_parameters(model)}};
  else
    return {{parameters(model)}};
}
}  // namespace detail

/// What an optimizer is made for: a model, a structure of variables, or parameters(W1, b1).
template <class M>
concept Optimizable = Structured<M> || std::is_same_v<M, Parameters>;  // a struct: with WEFT_MEMBERS(...)

struct SgdOptions {
  double learning_rate = 0.01;
  double momentum = 0;      ///< v = momentum v + g; p -= lr v
  bool nesterov = false;    ///< p -= lr (g + momentum v)
  double weight_decay = 0;  ///< g += weight_decay p, first of all
};

/// Stochastic gradient descent.
class SGD final : public Optimizer {
 public:
  template <Optimizable M> explicit SGD(const M& model, SgdOptions options = {}, Site site = Site::current())
      : SGD(detail::one_group(model), options, site) {}
  explicit SGD(const std::vector<ParameterGroup>& groups, SgdOptions options = {}, Site site = Site::current());

 private:
  Tensor update(const Group& group, Slot& slot, const Tensor& p, const Tensor& gradient) override;
  SgdOptions options_;
};

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;    ///< added to sqrt(v) after v is corrected
  double weight_decay = 0;  ///< g += weight_decay p, first of all
};
struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  ///< p *= 1 - lr weight_decay, first of all
};

/// Adam: p -= lr m' / (sqrt(v') + epsilon), where m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) are the corrected
/// means of g and g^2. Kingma and Ba, arXiv:1412.6980.
class Adam : public Optimizer {
 public:
  template <Optimizable M> explicit Adam(const M& model, AdamOptions options = {}, Site site = Site::current())
      : Adam(detail::one_group(model), options, site) {}
  explicit Adam(const std::vector<ParameterGroup>& groups, AdamOptions options = {}, Site site = Site::current());

 protected:
  Adam(const std::vector<ParameterGroup>& groups, const AdamOptions& options, bool decoupled, const Site& site);

 private:
  void begin_step() override;
  Tensor update(const Group& group, Slot& slot, const Tensor& p, const Tensor& gradient) override;
  AdamOptions options_;
  bool decoupled_;
  Tensor correct1_, correct2_;  // 1 / (1 - beta^t), f64[], of the step at hand
};

/// Adam whose weight decay does not pass through the means. Loshchilov and Hutter, arXiv:1711.05101. Parameter groups
/// say what decays:
///     AdamW opt({{select(all, is_matrix)}, {select(all, is_vector), {}, 0.0}}, options);
class AdamW final : public Adam {
 public:
  template <Optimizable M> explicit AdamW(const M& model, AdamWOptions options = {}, Site site = Site::current())
      : AdamW(detail::one_group(model), options, site) {}
  explicit AdamW(const std::vector<ParameterGroup>& groups, AdamWOptions options = {}, Site site = Site::current());
};

struct RMSpropOptions {
  double learning_rate = 1e-3;
  double rho = 0.9;         ///< v = rho v + (1 - rho) g^2
  double momentum = 0;      ///< step = momentum step + lr g / sqrt(v + epsilon); p -= step
  double epsilon = 1e-7;    ///< added to v
  bool centered = false;    ///< v less the square of g's mean, kept as v is: the variance of g
  double weight_decay = 0;  ///< g += weight_decay p, first of all
};

/// RMSprop: p -= lr g / sqrt(v + epsilon), where v is a running mean of g^2. Tieleman and Hinton, 2012. Formulas and
/// defaults are Keras'; PyTorch adds epsilon to the root, keeps the rate out of the momentum, and has learning_rate
/// 0.01, rho (alpha) 0.99 and epsilon 1e-8.
class RMSprop final : public Optimizer {
 public:
  template <Optimizable M> explicit RMSprop(const M& model, RMSpropOptions options = {}, Site site = Site::current())
      : RMSprop(detail::one_group(model), options, site) {}
  explicit RMSprop(const std::vector<ParameterGroup>& groups, RMSpropOptions options = {}, Site site = Site::current());

 private:
  Tensor update(const Group& group, Slot& slot, const Tensor& p, const Tensor& gradient) override;
  RMSpropOptions options_;
};

struct AdagradOptions {
  double learning_rate = 1e-3;
  double initial_accumulator = 0.1;  ///< where the sum of g^2 starts
  double epsilon = 1e-7;             ///< added to the sum
  double weight_decay = 0;           ///< g += weight_decay p, first of all
};

/// Adagrad: p -= lr g / sqrt(s + epsilon), where s is the sum of all g^2 so far. Duchi et al., JMLR 12, 2011. Formula
/// and defaults are Keras'; PyTorch adds epsilon to the root, and has learning_rate 0.01, initial_accumulator 0 and
/// epsilon 1e-10. An element whose gradient is 0 stays as it is.
class Adagrad final : public Optimizer {
 public:
  template <Optimizable M> explicit Adagrad(const M& model, AdagradOptions options = {}, Site site = Site::current())
      : Adagrad(detail::one_group(model), options, site) {}
  explicit Adagrad(const std::vector<ParameterGroup>& groups, AdagradOptions options = {}, Site site = Site::current());

 private:
  Tensor update(const Group& group, Slot& slot, const Tensor& p, const Tensor& gradient) override;
  AdagradOptions options_;
};

}  // namespace weft::nn
