// Jacobians and Hessians of functions; the tape's own are in tape.h.
//
//     Tensor j = jacobian(f)(x);   // f: [n] -> [m]; j: [m, n]
//     Tensor h = hessian(loss)(w); // loss: [n] -> []; h: [n, n]
//
// All rows, or all columns, are one pass: the pull-back or the push-forward is traced once and batched, as vmap does
// it.
#pragma once

#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "callable.h"
#include "linearize.h"
#include "transforms.h"

namespace weft {

/// Forward mode costs as much as f for each element of the arguments, reverse mode for each of the results. By shape:
/// forward if the arguments have fewer.
enum class JacobianMode { by_shape, forward, reverse };

namespace detail {

/// Records f in the ways from which a mode can be chosen when its results are known.
class JacobianRecorder {
 public:
  JacobianRecorder(JacobianMode mode, std::vector<Tensor> primals);
  /// Ends it: the derivatives of each of f's results, in turn for each primal.
  std::vector<Tensor> blocks(std::span<const Tensor> results);

 private:
  std::vector<Tensor> columns(std::span<const Tensor> results) const;
  std::vector<Tensor> primals_;
  std::optional<GradientTape> tape_;
  std::optional<Linearizer> linearizer_;
};

/// The argument with tensors of its own, to be told from others of the same; what holds variables as it is.
template <class X> decltype(auto) fresh(const X& x) {
  if constexpr (HoldsVariables<X>::value)
    return (x);
  else
    return map_leaves(x, [](const Tensor& leaf) { return another(leaf); });
}

/// GradError if y is no scalar.
void check_scalar(const Tensor& y);

}  // namespace detail

/// A function's Jacobian; see jacobian().
template <class F> class Jacobian {
 public:
  Jacobian(F f, JacobianMode mode, const detail::Caller& by) : held_{std::move(f)}, mode_(mode), by_(by) {}

  template <Structured... X> auto operator()(const X&... x) const {
    static_assert(sizeof...(X) > 0, "jacobian: of a function of nothing");
    const std::tuple<decltype(detail::fresh(x))...> arguments{detail::fresh(x)...};
    detail::JacobianRecorder recorder = detail::called(
        by_.name, by_.site, [&] { return detail::JacobianRecorder(mode_, detail::leaves_of(arguments)); });
    const auto y = std::apply(held_.f, arguments);
    using Y = std::remove_const_t<decltype(y)>;
    static_assert(std::is_same_v<Y, Tensor> || detail::is_vector<Y> || detail::is_map<Y> || detail::is_tuple<Y>,
                  "jacobian: the function returns a tensor, or a tuple, pair, array, vector or map of them");
    const std::vector<Tensor> blocks =
        detail::called(by_.name, by_.site, [&] { return recorder.blocks(detail::leaves_of(y)); });
    std::size_t next = 0;
    return map_leaves(y, [&](const Tensor&) {
      const auto block = [&](const Tensor&) { return blocks[next++]; };
      if constexpr (sizeof...(X) == 1)
        return map_leaves(std::get<0>(arguments), block);
      else
        return map_leaves(arguments, block);
    });
  }

 private:
  detail::Held<F> held_;
  JacobianMode mode_;
  detail::Caller by_;
};

/// f's Jacobian as a function: for each tensor y that f gives and each tensor x among the arguments the derivatives, of
/// shape y.shape + x.shape (zeros where y does not depend on x), in the structure of f's result with the arguments' for
/// each of its tensors: of one argument its own, of several a tuple. The mode changes the cost, and of the values the
/// rounding at most. Nests, and works in vmap, under tapes, in compile().
///
///     Tensor j = jacobian([](const Tensor& x) { return tanh(x); })(x);
template <class F> Jacobian<F> jacobian(F f, JacobianMode mode = JacobianMode::by_shape, Site site = Site::current()) {
  return Jacobian<F>(std::move(f), mode, {"jacobian", site});
}

/// The second derivatives of f, which gives a scalar: for each pair of tensors (a, b) among the arguments a.shape +
/// b.shape, in the arguments' structure with the arguments' for each of its tensors. The mode is that of the second
/// derivative, the first is a gradient: forward over reverse is the cheaper one.
///
///     Tensor h = hessian([](const Tensor& x) { return sum(x * x * x); })(x);
template <class F> auto hessian(F f, JacobianMode mode = JacobianMode::forward, Site site = Site::current()) {
  const detail::Caller by{"hessian", site};
  return Jacobian(
      [held = detail::Held<F>{std::move(f)}, by](const auto&... x) {
        static_assert(!(HasVariables<std::remove_cvref_t<decltype(x)>> || ...),
                      "hessian: of variables or tensors, not of a model: its Gradients have no Gradients");
        const std::tuple<decltype(detail::fresh(x))...> arguments{detail::fresh(x)...};
        GradientTape tape({}, by.site);
        tape.watch(arguments);
        const Tensor y = std::apply(held.f, arguments);
        detail::called(by.name, by.site, [&] { detail::check_scalar(y); });
        const GradientOptions zeros{.unconnected = Unconnected::zero};
        if constexpr (sizeof...(x) == 1)
          return tape.gradient(y, std::get<0>(arguments), zeros);
        else
          return tape.gradient(y, arguments, zeros);
      },
      mode, by);
}

}  // namespace weft
