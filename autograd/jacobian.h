// Jacobians and Hessians of functions; the tape's own are in tape.h.
//
//     Tensor j = jacobian(f)(x);   // f: [n] -> [m]; j: [m, n]
//     Tensor h = hessian(loss)(w); // loss: [n] -> []; h: [n, n]
//
// All rows are one pass: the pull-back (or, forward, the push-forward) is traced once and batched, as vmap does it.
#pragma once

#include <functional>
#include <tuple>
#include <utility>

#include "transforms.h"

namespace weft {

namespace detail {

/// GradError if y is no scalar.
void check_scalar(const Tensor& y);

}  // namespace detail

/// A function's Jacobian; see jacobian().
template <class F> class Jacobian {
 public:
  explicit Jacobian(F f) : f_(std::move(f)) {}

  template <Structured... X> auto operator()(const X&... x) const {
    static_assert(sizeof...(X) > 0, "jacobian: of a function of nothing");
    const auto fresh = [](const auto& leaf) { return detail::another(leaf); };
    const std::tuple<decltype(map_leaves(x, fresh))...> arguments{map_leaves(x, fresh)...};
    GradientTape tape({.persistent = true});
    tape.watch(arguments);
    const auto y = std::apply(f_, arguments);
    using Y = std::remove_const_t<decltype(y)>;
    static_assert(std::is_same_v<Y, Tensor> || detail::is_vector<Y> || detail::is_map<Y> || detail::is_tuple<Y>,
                  "jacobian: the function returns a tensor, or a tuple, pair, array, vector or map of them");
    tape.stop();
    return map_leaves(y, [&](const Tensor& leaf) {
      const JacobianOptions zeros{.unconnected = Unconnected::zero};
      if constexpr (sizeof...(X) == 1)
        return tape.jacobian(leaf, std::get<0>(arguments), zeros);
      else
        return tape.jacobian(leaf, arguments, zeros);
    });
  }

 private:
  F f_;
};

/// f's Jacobian as a function: for each tensor y that f gives and each tensor x among the arguments the derivatives, of
/// shape y.shape + x.shape (zeros where y does not depend on x), in the structure of f's result with the arguments' for
/// each of its tensors: of one argument its own, of several a tuple. Nests, and works in vmap, under tapes, in
/// compile().
///
///     Tensor j = jacobian([](const Tensor& x) { return tanh(x); })(x);
template <class F> Jacobian<F> jacobian(F f) { return Jacobian<F>(std::move(f)); }

/// The second derivatives of f, which gives a scalar: for each pair of tensors (a, b) among the arguments a.shape +
/// b.shape, in the arguments' structure with the arguments' for each of its tensors.
///
///     Tensor h = hessian([](const Tensor& x) { return sum(x * x * x); })(x);
template <class F> auto hessian(F f) {
  return jacobian([f = std::move(f)](const auto&... x) {
    const auto fresh = [](const auto& leaf) { return detail::another(leaf); };
    const std::tuple<decltype(map_leaves(x, fresh))...> arguments{map_leaves(x, fresh)...};
    GradientTape tape;
    tape.watch(arguments);
    const Tensor y = std::apply(f, arguments);
    detail::check_scalar(y);
    const GradientOptions zeros{.unconnected = Unconnected::zero};
    if constexpr (sizeof...(x) == 1)
      return tape.gradient(y, std::get<0>(arguments), zeros);
    else
      return tape.gradient(y, arguments, zeros);
  });
}

}  // namespace weft
