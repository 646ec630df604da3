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

/// GradError if y is no scalar.
void check_scalar(const Tensor& y);

}  // namespace detail

/// A function's Jacobian; see jacobian().
template <class F> class Jacobian {
 public:
  Jacobian(F f, JacobianMode mode) : f_(std::move(f)), mode_(mode) {}

  template <Structured... X> auto operator()(const X&... x) const {
    static_assert(sizeof...(X) > 0, "jacobian: of a function of nothing");
    const auto fresh = [](const auto& leaf) { return detail::another(leaf); };
    const std::tuple<decltype(map_leaves(x, fresh))...> arguments{map_leaves(x, fresh)...};
    detail::JacobianRecorder recorder(mode_, detail::leaves_of(arguments));
    const auto y = std::apply(f_, arguments);
    using Y = std::remove_const_t<decltype(y)>;
    static_assert(std::is_same_v<Y, Tensor> || detail::is_vector<Y> || detail::is_map<Y> || detail::is_tuple<Y>,
                  "jacobian: the function returns a tensor, or a tuple, pair, array, vector or map of them");
    const std::vector<Tensor> blocks = recorder.blocks(detail::leaves_of(y));
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
  F f_;
  JacobianMode mode_;
};

/// f's Jacobian as a function: for each tensor y that f gives and each tensor x among the arguments the derivatives, of
/// shape y.shape + x.shape (zeros where y does not depend on x), in the structure of f's result with the arguments' for
/// each of its tensors: of one argument its own, of several a tuple. The mode changes the cost, and of the values the
/// rounding at most. Nests, and works in vmap, under tapes, in compile().
///
///     Tensor j = jacobian([](const Tensor& x) { return tanh(x); })(x);
template <class F> Jacobian<F> jacobian(F f, JacobianMode mode = JacobianMode::by_shape) {
  return Jacobian<F>(std::move(f), mode);
}

/// The second derivatives of f, which gives a scalar: for each pair of tensors (a, b) among the arguments a.shape +
/// b.shape, in the arguments' structure with the arguments' for each of its tensors. The mode is that of the second
/// derivative, the first is a gradient: forward over reverse is the cheaper one.
///
///     Tensor h = hessian([](const Tensor& x) { return sum(x * x * x); })(x);
template <class F> auto hessian(F f, JacobianMode mode = JacobianMode::forward) {
  return jacobian(
      [f = std::move(f)](const auto&... x) {
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
      },
      mode);
}

}  // namespace weft
