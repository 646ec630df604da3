// recompute: a function whose intermediate results no tape keeps; its gradient runs it again.
//
//     auto block = recompute([&](const Tensor& x) { return relu(matmul(relu(matmul(x, w1)), w2)); });
//     Tensor y = block(block(block(x)));  // a tape keeps what goes into each block
#pragma once

#include <optional>
#include <source_location>
#include <span>
#include <tuple>
#include <vector>

#include "../ops/closure.h"
#include "transforms.h"

namespace weft {

namespace detail {
/// Runs f on these tensors as one op, an Inlined one, whose rules run its graph again.
std::vector<Tensor> run_recomputed(std::span<const Tensor> in, const TensorFunction& f,
                                   const std::source_location& site);
}  // namespace detail

/// f, of tensors, models and structures of tensors. Under a tape or an accumulator each call is traced, as compile()
/// does it, so host code in f sees no elements (GuardError); the gradient runs the same ops on the same inputs: with
/// the values that variables had, and the same random numbers. Gradients of variables that f reads arrive, to any
/// order. Calls nest: one inside another is run again in the gradient of that one. Compiled code keeps to it too.
template <class F> auto recompute(F f, const std::source_location& site = std::source_location::current()) {
  return [held = detail::Held<F>{std::move(f)}, site](const auto&... x) {
    using Result = std::decay_t<decltype(held.f(x...))>;
    static_assert(Structured<Result>, "recompute: the function returns a Tensor or a structure of tensors");
    if (active_recorders().empty() && !active_tracer()) return Result(held.f(x...));
    std::tuple<std::conditional_t<detail::refers<decltype(x)>, decltype(x), std::decay_t<decltype(x)>>...> own(x...);
    const auto each_argument = [&](auto visit) {
      const auto one = [&](auto& a) {
        if constexpr (!detail::refers<decltype(a)>) each_leaf(a, visit);
      };
      std::apply([&](auto&... a) { (one(a), ...); }, own);
    };
    std::vector<Tensor> in;
    each_argument([&](const Tensor& leaf) { in.push_back(leaf); });
    std::optional<Result> result;
    const auto traced = [&](std::span<const Tensor> placeholders) {
      std::size_t next = 0;
      each_argument([&](Tensor& leaf) { leaf = placeholders[next++]; });
      result = std::apply(held.f, std::as_const(own));
      return detail::leaves_of(*result);
    };
    const std::vector<Tensor> out = detail::run_recomputed(in, traced, site);
    std::size_t next = 0;
    each_leaf(*result, [&](Tensor& leaf) { leaf = out[next++]; });
    return std::move(*result);
  };
}

}  // namespace weft
