// Transforms: from functions to the functions that are their derivatives. A function takes and returns tensors,
// variables and structures of them, as for compile(); what comes out does too, so transforms nest in each other, in
// compile() and in tapes and accumulators:
//
//     auto f = [](const Tensor& x) { return sum(tanh(x)); };
//     Tensor dx = grad(f)(x);
//     auto d2 = compile(grad([&](const Tensor& x) { return sum(grad(f)(x)); }));
//
// Derivatives are with respect to arguments alone: a tensor that the function captured is a constant, also if it is the
// same tensor as an argument. Where the result does not depend on an argument the derivative is zeros. A model (a
// struct with variables) among the arguments is referred to, not copied, and its gradients come as Gradients.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../tensor/site.h"
#include "callable.h"
#include "forward.h"
#include "gradients.h"
#include "structure.h"
#include "tape.h"

namespace weft {

namespace detail {

/// The public function that errors name, and the line that asked for it. Errors of f say f's own lines.
struct Caller {
  const char* name;
  Site site;
};

/// The same value as a tensor of its own, of which recorders know whence it comes.
Tensor another(const Tensor& t);

template <class P> inline constexpr bool refers = HoldsVariables<std::remove_cvref_t<P>>::value;

// How a transform hands an argument to f: numbers become tensors where f declares one or a derivative is asked for,
// tensors become others than the caller's, models stay.
template <class Parameter, bool differentiated, class A> decltype(auto) take(A& argument) {
  using P = std::remove_cvref_t<Parameter>;
  if constexpr (refers<P>) {
    return (argument);
  } else if constexpr (std::is_arithmetic_v<P> && differentiated) {
    return Arg(argument).tensor();
  } else if constexpr (differentiated) {
    static_assert(std::is_same_v<P, Tensor> || Structured<P>,
                  "a transform: no derivative for a parameter of this type");
    auto own = [&] {
      if constexpr (std::is_same_v<P, Tensor>)
        return Tensor(Arg(argument).tensor());
      else
        return P(argument);
    }();
    each_leaf(own, [](Tensor& leaf) { leaf = another(leaf); });
    return own;
  } else {
    return as_parameter<Parameter>(argument);
  }
}

// All arguments of a call, as f is to have them; those whose numbers are in `n...` are differentiated.
template <std::size_t... n> struct Numbers {
  static constexpr bool all = sizeof...(n) == 0;
  static constexpr bool contains(std::size_t i) { return all || ((i == n) || ...); }
};
template <class N, class... P, std::size_t... i, class... A>
auto take_as(std::tuple<P...>*, std::index_sequence<i...>, A&... args) {
  static_assert(sizeof...(P) == sizeof...(A), "a transform: wrong number of arguments");
  return std::tuple<decltype(take<P, N::contains(i)>(args))...>{take<P, N::contains(i)>(args)...};
}
template <class N, class F, class... A> auto take_all(const F&, A&... args) {
  using Types = typename Declared<F>::Types;
  if constexpr (std::is_void_v<Types>)
    return take_as<N>(static_cast<std::tuple<A...>*>(nullptr), std::index_sequence_for<A...>(), args...);
  else
    return take_as<N>(static_cast<Types*>(nullptr), std::index_sequence_for<A...>(), args...);
}

/// The float leaves; DTypeError if there are none.
template <class... S> void watch_floats(GradientTape& tape, const S&... sources) {
  bool any = false;
  (each_leaf(sources,
             [&](const auto& leaf) {
               if (!leaf.defined() || !is_floating(leaf.dtype())) return;
               any = true;
               tape.watch(leaf);
             }),
   ...);
  if (!any) throw DTypeError("a derivative with respect to arguments without floats");
}

/// True for a pair (loss, anything).
template <class T> inline constexpr bool has_aux = false;
template <class Aux> inline constexpr bool has_aux<std::pair<Tensor, Aux>> = true;

/// GradError if it is no float of one element.
void check_loss(const Tensor& loss);

template <class N, std::size_t... n, class F, class... A>
auto value_and_grad_of(N, const Caller& by, F& f, A&... args) {
  const auto parameters = take_all<N>(f, args...);
  GradientTape tape({.persistent = false, .watch_accessed_variables = false}, by.site);
  called(by.name, by.site, [&] { watch_floats(tape, std::get<n>(parameters)...); });
  auto value = std::apply(f, parameters);
  using Value = decltype(value);
  static_assert(std::is_same_v<Value, Tensor> || has_aux<Value>,
                "grad: the function returns a Tensor, or std::pair(Tensor, anything)");
  const Tensor& loss = [&]() -> const Tensor& {
    if constexpr (has_aux<Value>)
      return value.first;
    else
      return value;
  }();
  called(by.name, by.site, [&] { check_loss(loss); });
  auto gradients = tape.gradient(loss, std::get<n>(parameters)..., GradientOptions{.unconnected = Unconnected::zero});
  return std::pair(std::move(value), std::move(gradients));
}

template <std::size_t... n, class F> auto value_and_grad(F f, const Caller& by) {
  return [held = Held<F>{std::move(f)}, by](auto&&... args) {
    if constexpr (sizeof...(n) == 0)
      return value_and_grad_of<Numbers<0>, 0>({}, by, held.f, args...);
    else
      return value_and_grad_of<Numbers<n...>, n...>({}, by, held.f, args...);
  };
}

template <std::size_t... n, class F> auto grad(F f, const Caller& by) {
  return [both = value_and_grad<n...>(std::move(f), by)](auto&&... args) {
    auto [value, gradients] = both(args...);
    if constexpr (has_aux<decltype(value)>)
      return std::pair(std::move(gradients), std::move(value.second));
    else
      return std::move(gradients);
  };
}

template <class T> inline constexpr bool is_std_tuple = false;
template <class... T> inline constexpr bool is_std_tuple<std::tuple<T...>> = true;

/// f(x); of a std::tuple, f(its parts).
template <class F, class X> auto call_with(F& f, const X& x) {
  if constexpr (is_std_tuple<X>)
    return std::apply(f, x);
  else
    return f(x);
}

template <class F, class X, class Tangents> auto jvp(F& f, const X& x, const Tangents& tangents, const Caller& by) {
  const auto run = [&](const auto& primals) {
    ForwardAccumulator acc(primals, tangents, by.site, by.name);
    auto y = call_with(f, primals);
    auto dy = acc.jvp(y, Unconnected::zero);
    return std::pair(std::move(y), std::move(dy));
  };
  if constexpr (refers<X>)
    return run(x);
  else
    return run(take<X, true>(x));
}

}  // namespace detail

/// The function x... -> (f(x...), the gradient of f(x...)), for the arguments with the numbers n... (none named: the
/// first): one gives its gradient in its structure, several a tuple. f returns a tensor of one element, or a
/// pair(loss, aux) of which the loss is differentiated. GradError if it has more elements, DTypeError without floats.
///
///     auto [loss, g] = value_and_grad([](const Model& m, const Tensor& x) { return mean(square(m(x))); })(model, x);
template <std::size_t... n, class F> auto value_and_grad(F f, Site site = Site::current()) {
  return detail::value_and_grad<n...>(std::move(f), {"value_and_grad", site});
}

/// The function x... -> the gradient of f(x...); of a function with aux: -> pair(gradient, aux). See value_and_grad().
///
///     auto d2f = grad(grad(f));
///     auto loss = [&](const Tensor& w, const Tensor& b) { return mean(square(matmul(x, w) + b)); };
///     auto [dw, db] = grad<0, 1>(loss)(w, b);
template <std::size_t... n, class F> auto grad(F f, Site site = Site::current()) {
  return detail::grad<n...>(std::move(f), {"grad", site});
}

/// f(x...) and its pull-back: a function from cotangents in the result's structure (undefined: 0) to those of x..., one
/// alone, several as a tuple. It may be called any number of times, on this thread; models have to outlive it.
///
///     auto [y, pull] = vjp([](const Tensor& x) { return tanh(x); }, x);
///     Tensor dx = pull(dy);
template <class F, class... X> auto vjp(F f, X&&... x) {
  const auto tape = std::make_shared<GradientTape>(TapeOptions{.persistent = true, .watch_accessed_variables = false});
  auto parameters = detail::take_all<detail::Numbers<>>(f, x...);
  detail::called("vjp", Site(),
                 [&] { std::apply([&](const auto&... p) { detail::watch_floats(*tape, p...); }, parameters); });
  auto y = std::apply(f, std::as_const(parameters));
  tape->stop();
  static_assert(Structured<decltype(y)>, "vjp: the function returns a Tensor or a structure of tensors");
  auto pull = [tape, parameters = std::move(parameters), targets = detail::leaves_of(y)](const auto& cotangents) {
    std::vector<Tensor> all = detail::leaves_of(cotangents), reached, seeds;
    if (all.size() != targets.size())
      throw GradError("the pull-back takes " + std::to_string(targets.size()) + " cotangents, not " +
                      std::to_string(all.size()));
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (!all[k].defined()) continue;
      reached.push_back(targets[k]);
      seeds.push_back(all[k]);
    }
    return std::apply(
        [&](const auto&... p) {
          return tape->gradient(reached, p..., GradientOptions{seeds, Unconnected::zero});
        },
        parameters);
  };
  return std::pair(std::move(y), std::move(pull));
}

/// f and its derivative along tangents: (f(x), dy). x is the argument, or a std::tuple of all; the tangents have its
/// structure (undefined: 0; a model's may be Gradients); dy has the result's. ArgumentError, ShapeError, DTypeError if
/// they differ.
///
///     auto product = [](const Tensor& x, const Tensor& w) { return matmul(x, w); };
///     auto [y, dy] = jvp(product, std::tuple(x, w), std::tuple(dx, dw));
template <class F, class X, class Tangents>
auto jvp(F f, const X& x, const Tangents& tangents, Site site = Site::current()) {
  return detail::jvp(f, x, tangents, {"jvp", site});
}

/// The Hessian of f at x times v, in x's structure: the derivative of f's gradient along v. f is as for grad(), of one
/// argument; v has x's structure (a model's may be Gradients).
///
///     Tensor hv = hvp([](const Tensor& x) { return sum(exp(x) * x); }, x, v);
template <class F, class X, class V> auto hvp(F f, const X& x, const V& v, Site site = Site::current()) {
  const detail::Caller by{"hvp", site};
  auto gradient = detail::grad([&](const X& p) { return f(p); }, by);
  return detail::jvp(gradient, x, v, by).second;
}

}  // namespace weft
