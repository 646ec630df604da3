// custom_gradient: a function whose gradient you write yourself.
//
//     auto log1pexp = custom_gradient([](const Tensor& x) {
//       Tensor e = exp(x);
//       return std::pair(log1p(e), [e](const Tensor& dy) { return dy * (1 - 1 / (1 + e)); });
//     });
//     Tensor y = log1pexp(x);  // a tape sees one op, whose rule is the second function
#pragma once

#include <functional>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../ops/recorder.h"
#include "callable.h"
#include "structure.h"

namespace weft {

namespace detail {

/// What a tape keeps of a call: the cotangents of the results in, those of the arguments out.
struct CustomRule {
  std::function<std::vector<Tensor>(const std::vector<Tensor>&)> gradient;
  std::string text() const { return "function"; }
};

/// Notes which trainable variables a function reads.
class VariableReads : private Recorder {
 public:
  VariableReads() { push_recorder(this); }
  ~VariableReads() override { pop_recorder(this); }
  VariableReads(const VariableReads&) = delete;
  /// GradError if one was read whose value is none of `arguments`: its gradient would be lost.
  void check(std::span<const Tensor> arguments) const;

 private:
  void record(const Op&, const Attrs&, std::span<const Tensor>, std::span<const Tensor>) override {}
  void read(const std::shared_ptr<VariableState>& variable, const Tensor& value) override;
  std::vector<std::pair<std::shared_ptr<VariableState>, std::uint64_t>> reads_;  // with the value's id
};

/// The same value as another tensor, of which no recorder knows.
Tensor unseen(const Tensor& t);
/// The values as other tensors, of which recorders know only that they came from `in` by one op with this rule.
std::vector<Tensor> by_rule(const std::shared_ptr<const CustomRule>& rule, std::span<const Tensor> in,
                            std::span<const Tensor> values, const std::source_location& site);

}  // namespace detail

/// A function with a gradient of its own; see custom_gradient().
template <class F> class CustomGradient {
 public:
  explicit CustomGradient(F f, const std::source_location& site) : f_(std::move(f)), site_(site) {}

  /// The first part of what the function returns, in its structure.
  template <Structured... X> auto operator()(const X&... x) const {
    std::vector<Tensor> in, values;
    const auto argument = [&](const auto& leaf) {
      in.push_back(leaf);  // a Variable is read
      if (!in.back().defined()) throw ArgumentError("custom_gradient: an argument is undefined");
      return in.back();
    };
    const auto arguments = std::tuple<decltype(map_leaves(x, argument))...>{map_leaves(x, argument)...};
    // Recorders see what the function does, so that a rule may use what it has computed and still be differentiated;
    // but no way leads from the result to it, only to the one op that they are told of at the end.
    const detail::VariableReads reads;
    auto [value, rule] = std::apply(f_, arguments);
    reads.check(in);
    using Value = decltype(value);
    static_assert(Structured<Value>, "custom_gradient: the function returns a pair (tensors, gradient function)");
    each_leaf(value, [&](const Tensor& t) { values.push_back(t); });
    auto form = map_leaves(value, [](const Tensor&) { return Tensor(); });
    auto gradient = [rule = std::move(rule), form = std::move(form)](const std::vector<Tensor>& cotangents) {
      std::size_t next = 0;
      auto dy = map_leaves(form, [&](const Tensor&) { return cotangents[next++]; });
      std::vector<Tensor> gradients;
      const auto take = [&](const auto& dx) {
        static_assert(Structured<decltype(dx)>, "custom_gradient: the gradient function returns tensors");
        each_leaf(dx, [&](const auto& leaf) { gradients.push_back(leaf); });
      };
      if constexpr (requires { rule(dy); })
        take(rule(dy));
      else
        take(std::apply(rule, dy));  // of several results: their cotangents one by one
      return gradients;
    };
    const auto out = detail::by_rule(std::make_shared<detail::CustomRule>(detail::CustomRule{std::move(gradient)}), in,
                                     values, site_);
    std::size_t next = 0;
    return map_leaves(value, [&](const Tensor&) { return out[next++]; });
  }

 private:
  F f_;
  std::source_location site_;
};

/// f(x...) returns a pair (y, gradient): y is a tensor or a structure of tensors, and gradient(dy) gives one tensor for
/// each tensor among the arguments (undefined for no gradient), of its type. Both are written in public ops, so the
/// gradient differentiates in turn. A trainable variable that f reads must be among its arguments: GradError.
/// When a gradient is taken: GradError if their number differs, ShapeError or DTypeError if one does not fit; what the
/// gradient function throws itself passes through.
template <class F>
CustomGradient<F> custom_gradient(F f, const std::source_location& site = std::source_location::current()) {
  return CustomGradient<F>(std::move(f), site);
}

/// f, which gives tensors of its argument's types, with the identity's gradient; variables that it reads get none.
///
///     auto hard = grad_pass_through([](const Tensor& x) { return round(x); });
template <class F> auto grad_pass_through(F f, const std::source_location& site = std::source_location::current()) {
  return custom_gradient(
      [held = detail::Held<F>{std::move(f)}](const auto& x) {
        const TraceScope hidden(active_tracer());
        auto y = held.f(x);
        return std::pair(std::move(y), [](const auto& dy) { return dy; });
      },
      site);
}

}  // namespace weft
