// compile(f): f as a function that is traced once per signature and then runs as a few fused kernels.
//
//     auto step = compile([&](const Tensor& x, const Tensor& y) {
//       GradientTape tape;
//       Tensor loss = mean(square(matmul(x, w) - y));
//       w.assign_sub(0.1 * tape.gradient(loss, w));
//       return loss;
//     });
//
// The same bits as f itself. Host code in f runs while it is traced, and not again. A tape around the call sees one op,
// which it differentiates through a compiled backward.
#pragma once

#include <bit>
#include <tuple>
#include <type_traits>

#include "../autograd/callable.h"
#include "function.h"
#include "stats.h"

namespace weft {

namespace detail {

template <class S> void sign(Signature& signature, S& s) {
  using T = std::remove_cvref_t<S>;
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    if constexpr (std::is_floating_point_v<T>)
      signature.add_word(std::bit_cast<std::uint64_t>(static_cast<double>(s)));
    else
      signature.add_word(static_cast<std::uint64_t>(s));
  } else {
    static_assert(Structured<T>, "compile: a parameter is a Tensor, a Variable, a number, or a structure of these");
    if constexpr (is_vector<T> || is_map<T>) signature.add_word(s.size());
    if constexpr (is_optional<T>) signature.add_word(s.has_value());
    each_leaf(s, [&](auto& leaf) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(leaf)>, Variable>)
        signature.add_variable(leaf);
      else
        signature.add_tensor(leaf);
    });
  }
}

}  // namespace detail

/// A compiled function. Copies share their traces. Any thread may call; calls that write state are serialised.
template <class F> class Compiled {
 public:
  Compiled(F f, CompileOptions options) : f_(std::move(f)), cache_(std::make_shared<detail::FunctionCache>(options)) {}

  /// Calls it. A parameter declared Tensor takes a number too, as a 0-d tensor; a parameter declared as a number is
  /// part of the signature. Whatever f throws while it is traced, and IndexError, OutOfMemory and the like from the
  /// call; then no variable has changed.
  template <class... A> auto operator()(A&&... args) {
    if constexpr (std::is_void_v<typename detail::Declared<F>::Types>)
      return call<A...>(std::index_sequence_for<A...>(), args...);
    else
      return call_declared(static_cast<typename detail::Declared<F>::Types*>(nullptr), args...);
  }

  /// Of the trace used last.
  CompileStats stats() const { return cache_->stats(); }
  /// "graph", "groups", "kernels", "plan", "llvm" or "assembly", of the trace used last.
  std::string dump(std::string_view stage) const { return cache_->dump(stage); }
  /// The variables and tensors that the function captured: name and type.
  std::vector<std::string> captures() const { return cache_->captures(); }

 private:
  template <class... P, class... A> auto call_declared(std::tuple<P...>*, A&... args) {
    static_assert(sizeof...(P) == sizeof...(A), "compile: wrong number of arguments");
    return call<P...>(std::index_sequence_for<P...>(), args...);
  }

  template <class... P, std::size_t... i, class... A> auto call(std::index_sequence<i...>, A&... args) {
    using Parameters = std::tuple<decltype(detail::as_parameter<P>(args))...>;
    Parameters parameters{detail::as_parameter<P>(args)...};
    using Result = std::decay_t<decltype(std::apply(f_, parameters))>;
    if constexpr (std::is_void_v<Result>) {
      if (detail::runs_inline()) {
        const detail::PlainCall plain;
        return void(std::apply(f_, parameters));
      }
      std::vector<Tensor> none;
      call_traced(parameters, none, [&](Parameters& p, std::vector<Tensor>&) {
        std::apply(f_, p);
        return std::any();
      });
    } else {
      if (detail::runs_inline()) {
        const detail::PlainCall plain;
        return Result(std::apply(f_, parameters));
      }
      return run<Result>(parameters);
    }
  }

  template <class Result, class Parameters> Result run(Parameters& parameters) {
    static_assert(Structured<Result>, "compile: the function returns a Tensor or a structure of tensors");
    std::vector<Tensor> results;
    const auto traced = call_traced(parameters, results, [&](Parameters& p, std::vector<Tensor>& leaves) {
      Result r = std::apply(f_, p);
      each_leaf(r, [&](auto& leaf) { leaves.push_back(leaf); });
      return std::any(r);
    });
    Result r = *std::any_cast<Result>(&traced->result);
    std::size_t next = 0;
    each_leaf(r, [&](Tensor& leaf) { leaf = std::move(results[next++]); });
    return r;
  }

  template <class Parameters, class Body>
  std::shared_ptr<detail::Traced> call_traced(Parameters& parameters, std::vector<Tensor>& results, const Body& body) {
    detail::Signature signature;
    signature.add_word(context().training);
    std::apply([&](auto&... p) { (detail::sign(signature, p), ...); }, parameters);
    const std::vector<Tensor> tensors = signature.tensors();
    const auto traced =
        cache_->find(std::move(signature), [&](std::span<const Tensor> placeholders, std::vector<Tensor>& leaves) {
          Parameters symbolic = parameters;
          const auto place = [&](auto& leaf) {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(leaf)>, Tensor>)
              for (std::size_t k = 0; k < tensors.size(); ++k)
                if (leaf.defined() && leaf.same(tensors[k])) {
                  leaf = placeholders[k];
                  break;
                }
          };
          std::apply([&](auto&... p) { (each_tensor(p, place), ...); }, symbolic);
          return body(symbolic, leaves);
        });
    results.resize(traced->results);
    if (detail::is_recorded()) {
      cache_->run_recorded(*traced, tensors, results);
      return traced;
    }
    cache_->run(*traced, tensors, results, [&] {
      std::vector<Tensor> leaves;
      body(parameters, leaves);
      return leaves;
    });
    return traced;
  }

  // Leaves of structures that hold tensors alone: those with variables stay as they are.
  template <class P, class Visit> static void each_tensor(P& p, Visit&& visit) {
    if constexpr (Structured<P> && !detail::HoldsVariables<std::remove_cvref_t<P>>::value) each_leaf(p, visit);
  }

  F f_;
  std::shared_ptr<detail::FunctionCache> cache_;
};

/// f, compiled. f takes and returns tensors, variables and structures of them; it may return nothing.
template <class F> auto compile(F f, CompileOptions options = {}) { return Compiled<F>(std::move(f), options); }

}  // namespace weft
