// custom_jvp: a function with a forward rule of one's own, from which its gradient comes too.
#pragma once

#include <functional>
#include <optional>
#include <source_location>
#include <span>
#include <tuple>
#include <vector>

#include "../ops/closure.h"
#include "callable.h"
#include "structure.h"

namespace weft {

namespace detail {
/// From the arguments and the tangents of the floats among them (others are undefined) to those of the results.
using ForwardRule = std::function<std::vector<Tensor>(std::span<const Tensor> in, std::span<const Tensor> tangents)>;
/// f on these tensors, as one op with this rule.
std::vector<Tensor> run_custom_jvp(std::span<const Tensor> in, const TensorFunction& f, ForwardRule rule,
                                   const std::source_location& site);
}  // namespace detail

/// f with a forward rule of your own: rule(x..., dx...) gives the tangents of f(x...), in its structure, and is linear
/// in dx...; it is written in public ops. Gradients come from it too: a tape transposes it. A trainable variable that f
/// reads must be among its arguments: GradError.
///
///     auto f = custom_jvp([](const Tensor& x) { return log1p(exp(x)); },
///                         [](const Tensor& x, const Tensor& dx) { return dx * sigmoid(x); });
template <class F, class Rule>
auto custom_jvp(F f, Rule rule, const std::source_location& site = std::source_location::current()) {
  return [held = detail::Held<F>{std::move(f)}, rule = std::move(rule), site](const auto&... x) {
    std::vector<Tensor> in;
    const auto argument = [&](const auto& leaf) {
      in.push_back(leaf);  // a Variable is read
      if (!in.back().defined()) throw ArgumentError("custom_jvp: an argument is undefined");
      return Tensor();
    };
    const auto form = std::tuple<decltype(map_leaves(x, argument))...>{map_leaves(x, argument)...};
    const auto shaped = [form](std::span<const Tensor> leaves) {
      std::size_t next = 0;
      auto t = form;
      std::apply([&](auto&... a) { (each_leaf(a, [&](Tensor& leaf) { leaf = leaves[next++]; }), ...); }, t);
      return t;
    };
    std::optional<std::decay_t<decltype(std::apply(held.f, form))>> result;
    const auto run = [&](std::span<const Tensor> leaves) {
      result = std::apply(held.f, shaped(leaves));
      return detail::leaves_of(*result);
    };
    const auto push = [rule, shaped](std::span<const Tensor> primals, std::span<const Tensor> tangents) {
      return detail::leaves_of(std::apply(rule, std::tuple_cat(shaped(primals), shaped(tangents))));
    };
    const std::vector<Tensor> out = detail::run_custom_jvp(in, run, push, site);
    std::size_t next = 0;
    return map_leaves(*result, [&](const Tensor&) { return out[next++]; });
  };
}

}  // namespace weft
