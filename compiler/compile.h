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

#include <tuple>
#include <type_traits>
#include <typeinfo>

#include "../autograd/callable.h"
#include "../tensor/denormals.h"
#include "function.h"
#include "stats.h"

namespace weft {

/// A compiled function. Copies share their traces. Any thread may call; calls that write state are serialised.
template <class F> class Compiled {
 public:
  Compiled(F f, CompileOptions options, const Site& site)
      : f_(std::move(f)), cache_(std::make_shared<detail::FunctionCache>(options, site)) {}

  /// Calls it. A parameter declared Tensor takes a number too, as a 0-d tensor; a parameter declared as a number is
  /// part of the signature. Whatever f throws while it is traced, and IndexError, OutOfMemory and the like from the
  /// call; then no variable has changed.
  template <class... A> auto operator()(A&&... args) const {
    return with_parameters([&](auto& parameters) { return call(parameters); }, args...);
  }

  /// Ahead of time: traces for arguments like these and generates the code, but runs nothing; the first such call then
  /// only computes what is kept of the variables before it is as fast as the next. A Type stands for a tensor:
  /// step.lower(Type{f32, {64, 784}}, Type{i64, {64}}). GuardError inside a SubstituteScope.
  template <class... A> CompileStats lower(const A&... args) const {
    detail::check_reads_variables();
    [&](const auto&... examples) {
      with_parameters([&](auto& parameters) { find(parameters); }, examples...);
    }(example(args)...);
    return stats();
  }

  /// Of the trace used last.
  CompileStats stats() const { return cache_->stats(); }
  /// "traced", "passes", "graph", "groups", "plan", ... of the trace used last: stages.h has all. ArgumentError.
  std::string dump(std::string_view stage) const { return cache_->dump(stage); }
  /// Why groups (of dump("groups")) of which one reads what the other computes are not one, and what became of them:
  /// products that go to a loop strip by strip, launches that are one, rows that go through several steps at once.
  std::string explain_fusion() const { return cache_->dump("fusion"); }
  /// The variables and the tensors of some axes that the function captured: name and type.
  std::vector<std::string> captures() const { return cache_->captures(); }

 private:
  static const Tensor& example(const Tensor& t) { return t; }
  static Tensor example(const Type& t) { return Tensor::placeholder(t); }
  template <class T> static const T& example(const T& t) { return t; }

  // use(parameters): the arguments as the types that f declares, or as they are where its operator() is a template.
  template <class Use, class... A> auto with_parameters(Use&& use, A&... args) const {
    if constexpr (std::is_void_v<typename detail::Declared<F>::Types>)
      return with_types(static_cast<std::tuple<A...>*>(nullptr), use, args...);
    else
      return with_types(static_cast<typename detail::Declared<F>::Types*>(nullptr), use, args...);
  }

  template <class... P, class Use, class... A> auto with_types(std::tuple<P...>*, Use&& use, A&... args) const {
    static_assert(sizeof...(P) == sizeof...(A), "compile: wrong number of arguments");
    std::tuple<decltype(detail::as_parameter<P>(args))...> parameters{detail::as_parameter<P>(args)...};
    return use(parameters);
  }

  template <class Parameters> using Result =
      std::decay_t<decltype(std::apply(std::declval<F&>(), std::declval<Parameters&>()))>;

  template <class Parameters> Result<Parameters> call(Parameters& parameters) const {
    using R = Result<Parameters>;
    if (detail::runs_inline()) {
      const detail::PlainCall plain;
      return R(std::apply(f_, parameters));
    }
    const auto [traced, tensors, variables] = find(parameters);
    std::vector<Tensor> results(traced->results);
    if (detail::is_recorded())
      cache_->run_recorded(*traced, tensors, variables, results);
    else
      cache_->run(*traced, tensors, variables, results, [&] { return body(parameters).leaves; });
    if constexpr (!std::is_void_v<R>) {
      R r = *std::any_cast<R>(&traced->result);
      std::size_t next = 0;
      each_leaf(r, [&](Tensor& leaf) {
        if (leaf.defined()) leaf = std::move(results[next++]);  // a gradient may be undefined
      });
      return r;
    }
  }

  template <class Parameters> detail::BodyResult body(Parameters& parameters) const {
    using R = Result<Parameters>;
    if constexpr (std::is_void_v<R>) {
      std::apply(f_, parameters);
      return {};
    } else {
      static_assert(Structured<R>, "compile: the function returns a Tensor or a structure of tensors");
      R r = std::apply(f_, parameters);
      std::vector<Tensor> leaves;
      each_leaf(r, [&](auto& leaf) {
        if (leaf.defined()) leaves.push_back(leaf);
      });
      detail::Signature signature;
      detail::sign(signature, r);
      return {std::any(r), std::move(leaves), !signature.variables().empty()};
    }
  }

  // The trace for these parameters, made now if there is none, and the distinct tensors and variables among them.
  template <class Parameters> auto find(Parameters& parameters) const {
    detail::Signature signature;
    // In one word; the mode, because constants are computed while it is traced.
    signature.add_word(std::uint64_t{context().training} | static_cast<std::uint64_t>(context().precision) << 8 |
                       std::uint64_t{detail::float_mode()} << 32);
    // of a function that is a template
    if constexpr (std::is_void_v<typename detail::Declared<F>::Types>)
      signature.add_word(reinterpret_cast<std::uintptr_t>(&typeid(Parameters)));
    std::apply([&](auto&... p) { (detail::sign(signature, p), ...); }, parameters);
    std::vector<Tensor> tensors = signature.tensors();
    detail::Variables variables = signature.variables();
    auto traced = cache_->find(std::move(signature), [&](std::span<const Tensor> placeholders) {
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
      return body(symbolic);
    });
    return std::tuple(std::move(traced), std::move(tensors), std::move(variables));
  }

  // Leaves of structures that hold tensors alone: those with variables stay as they are.
  template <class P, class Visit> static void each_tensor(P& p, Visit&& visit) {
    if constexpr (Structured<P> && !detail::HoldsVariables<std::remove_cvref_t<P>>::value) each_leaf(p, visit);
  }

  mutable F f_;  // a lambda may be mutable
  std::shared_ptr<detail::FunctionCache> cache_;
};

/// f, compiled. f takes tensors, variables, numbers, strings and structures of them; it returns tensors and structures
/// of them, undefined ones as they are, or nothing.
template <class F> auto compile(F&& f, CompileOptions options = {}, Site site = Site::current()) {
  static_assert(!(std::is_lvalue_reference_v<F> && HasVariables<std::remove_cvref_t<F>>),
                "compile copies f, a model with all its variables: compile([&](const Tensor& x) { return model(x); })");
  return Compiled<std::decay_t<F>>(std::forward<F>(f), options, site);
}

}  // namespace weft
