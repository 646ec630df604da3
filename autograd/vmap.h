// vmap: a function of one example as a function of a batch of them.
//
//     auto distances = vmap([](const Tensor& a, const Tensor& b) { return norm(a - b); });
//     Tensor d = distances(as, bs);                                       // [n, k], [n, k] -> [n]
//     auto one_to_all = vmap(f, {.in_axes = {std::nullopt, 1}, .out_axes = {0}});
//
// It batches the graph, not a loop: the function is traced once, on tensors of one example, and each op of its graph is
// then applied to the whole batch.
#pragma once

#include <optional>
#include <source_location>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "../ops/closure.h"
#include "callable.h"
#include "structure.h"

namespace weft {

/// Which axis of each argument and result is the batch.
struct VmapOptions {
  /// One for each argument, for all tensors in it; nullopt: it is the same for all examples. One alone counts for all
  /// arguments; none: axis 0 of each. Negative ones count from the back.
  std::vector<std::optional<int>> in_axes = {};
  /// One for each result (element of a returned tuple or pair); one alone counts for all; none: axis 0.
  std::vector<int> out_axes = {};
};

namespace detail {

/// A tensor of an argument; of the batch if `axis` is given.
struct VmapLeaf {
  Tensor value;
  std::size_t argument;
  std::optional<int> axis;
};

/// The axis for number k of `count` arguments or results. ArgumentError if there are neither one nor `count` axes.
template <class Axis> Axis axis_of(const std::vector<Axis>& axes, const char* what, std::size_t k, std::size_t count);

/// f's results for all examples, the batch in front. f gets all leaves, those of the batch as one example's.
std::vector<Tensor> vmap(std::span<const VmapLeaf> leaves, const TensorFunction& f, const std::source_location& site);
/// A result with its batch axis, in front, put at `axis`.
Tensor batch_to(const Tensor& result, int axis);

// What holds variables (a model) or is no tensor (a number) is passed on as it is.
template <class X> inline constexpr bool is_mapped = Structured<X> &&
                                                     (std::is_same_v<X, Variable> || !HoldsVariables<X>::value);

}  // namespace detail

/// A function on batches; see vmap().
template <class F> class Vmap {
 public:
  Vmap(F f, VmapOptions options, const std::source_location& site)
      : held_{std::move(f)}, options_(std::move(options)), site_(site) {}

  template <class... X> auto operator()(const X&... x) const { return call(std::index_sequence_for<X...>(), x...); }

 private:
  template <std::size_t... i, class... X> auto call(std::index_sequence<i...>, const X&... x) const {
    std::vector<detail::VmapLeaf> leaves;
    (collect(leaves, i, sizeof...(X), x), ...);
    using Result = std::decay_t<decltype(held_.f(
        one(x, std::declval<std::span<const Tensor>>(), std::declval<std::size_t&>())...))>;
    static_assert(Structured<Result>, "vmap: the function returns a tensor or a structure of tensors");
    std::optional<Result> form;
    std::vector<int> axes;  // of the results' leaves
    const auto part = [&](const auto& p, std::size_t k, std::size_t count) {
      const int axis = detail::axis_of(options_.out_axes, "results", k, count);
      each_leaf(p, [&](const auto&) { axes.push_back(axis); });
    };
    const auto traced = [&](std::span<const Tensor> values) {
      std::size_t next = 0, k = 0;
      // In braces: the leaves are taken in order.
      const std::tuple<decltype(one(x, values, next))...> arguments{one(x, values, next)...};
      form.emplace(std::apply(held_.f, arguments));
      if constexpr (detail::is_tuple<Result>)
        std::apply([&]<class... P>(const P&... p) { (part(p, k++, sizeof...(P)), ...); }, *form);
      else
        part(*form, 0, 1);
      return detail::leaves_of(*form);
    };
    const std::vector<Tensor> results = detail::vmap(leaves, traced, site_);
    std::size_t next = 0;
    return map_leaves(*form, [&](const auto&) {
      const std::size_t k = next++;
      return detail::batch_to(results[k], axes[k]);
    });
  }

  template <class X>
  void collect(std::vector<detail::VmapLeaf>& leaves, std::size_t k, std::size_t count, const X& x) const {
    if constexpr (detail::is_mapped<X>) {
      const std::optional<int> axis =
          options_.in_axes.empty() ? 0 : detail::axis_of(options_.in_axes, "arguments", k, count);
      each_leaf(x, [&](const auto& leaf) { leaves.push_back({leaf, k, axis}); });
    } else if (!options_.in_axes.empty()) {
      detail::axis_of(options_.in_axes, "arguments", k, count);
    }
  }

  template <class X> static decltype(auto) one(const X& x, std::span<const Tensor> values, std::size_t& next) {
    if constexpr (detail::is_mapped<X>)
      return map_leaves(x, [&](const auto&) { return values[next++]; });
    else
      return (x);
  }

  detail::Held<F> held_;
  VmapOptions options_;
  std::source_location site_;
};

/// f, which takes and returns tensors of one example (or structures of them), as a function of a batch: every tensor
/// argument has one axis more, by default in front, and so has every result. Models and numbers among the arguments are
/// passed on as they are. Where f's result is the same for all examples it is repeated.
///
/// f is traced at each call (compile the whole to trace it once), so it must not read values. Random functions draw
/// anew for every example. f may assign to a variable only what is the same for all: GuardError. ShapeError if the
/// batches differ in size, IndexError if an argument has no such axis. Nests, and works under tapes and in compile().
///
///     Tensor y = vmap([](const Tensor& x) { return sum(x * x); })(batch);
template <class F>
Vmap<F> vmap(F f, VmapOptions options = {}, const std::source_location& site = std::source_location::current()) {
  return Vmap<F>(std::move(f), std::move(options), site);
}

}  // namespace weft
