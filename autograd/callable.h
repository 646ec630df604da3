// Callable: what compile and the transforms of functions ask of a function's parameters.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "../ops/arg.h"
#include "structure.h"

namespace weft::detail {

// The parameters that a callable declares; none for one whose operator() is a template.
template <class F> struct Declared { using Types = void; };
template <class R, class... P> struct Declared<R (*)(P...)> { using Types = std::tuple<P...>; };
template <class R, class C, class... P> struct Declared<R (C::*)(P...) const> { using Types = std::tuple<P...>; };
template <class R, class C, class... P> struct Declared<R (C::*)(P...)> { using Types = std::tuple<P...>; };
template <class F>
requires requires { &F::operator(); }
struct Declared<F> : Declared<decltype(&F::operator())> {};

// How an argument is kept for a call: structures with variables by reference (a copy would be other variables), host
// numbers and structures of tensors as the parameter's own type.
template <class Parameter, class A> decltype(auto) as_parameter(A& argument) {
  using P = std::remove_cvref_t<Parameter>;
  if constexpr (HoldsVariables<P>::value) {
    static_assert(HoldsVariables<std::remove_cvref_t<A>>::value,
                  "this parameter is a variable, or holds some: a tensor would become another one");
    return (argument);
  } else if constexpr (std::is_same_v<P, Tensor>) {
    return Arg(argument).tensor();
  } else {
    return P(argument);
  }
}

/// A function that may change itself when it is called (a lambda that is mutable, a compiled function), held by one
/// that does not.
template <class F> struct Held { mutable F f; };

}  // namespace weft::detail
