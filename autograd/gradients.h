// Gradients: of a model, indexed by variable; and by variable those of any structure of variables and models.
#pragma once

#include <unordered_set>
#include <utility>
#include <vector>

#include "structure.h"

namespace weft {

class Arg;

class Gradients {
 public:
  void add(const Variable& variable, const Tensor& gradient) { list_.push_back({variable.state(), gradient}); }

  /// The gradient for a variable; undefined if the target does not depend on it. ArgumentError if it was no source.
  const Tensor& operator[](const Variable& variable) const;
  bool contains(const Variable& variable) const;
  std::size_t size() const { return list_.size(); }

  /// Sums of these and of `more`, where an undefined gradient counts as 0; a variable that only `more` has joins them.
  /// So several small batches make a large one:
  ///     Gradients total;
  ///     for (const auto& [x, y] : parts) total += gradients_of_loss(x, y);
  ///     opt.apply(total *= 1.0 / parts.size());
  Gradients& operator+=(const Gradients& more);
  Gradients& operator*=(const Arg& factor);

  struct Item {
    std::shared_ptr<VariableState> variable;
    Tensor gradient;
  };
  /// In the order of the model's members.
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  auto begin() { return list_.begin(); }
  auto end() { return list_.end(); }

 private:
  std::vector<Item> list_;
};

template <class S, class Map> Gradients detail::gradients_of(const S& model, Map&& map) {
  Gradients g;
  std::unordered_set<const VariableState*> seen;  // two members may be references to one
  each_leaf(model, [&](const auto& leaf) {
    const Tensor result = map(leaf);  // of all leaves: they are numbered
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(leaf)>, Variable>)
      if (leaf.trainable() && seen.insert(leaf.state().get()).second) g.add(leaf, result);
  });
  return g;
}

namespace detail {
[[noreturn]] void fail_unpaired(std::size_t sources, std::size_t gradients);  // ArgumentError

template <class S, class G> void pair_up(const S& sources, const G& gradients, Gradients& to) {
  if constexpr (std::is_same_v<S, Variable>) {
    if (sources.trainable() || Tensor(gradients).defined()) to.add(sources, gradients);
  } else if constexpr (RefersToVariable<S>) {
    pair_up(sources.variable(), gradients, to);
  } else if constexpr (std::is_same_v<G, Gradients>) {
    for (const auto& [variable, gradient] : gradients) to.add(Variable::handle(variable), gradient);
  } else if constexpr (is_tuple<S>) {
    static_assert(std::tuple_size_v<S> == std::tuple_size_v<G>, "as many gradients as sources");
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (pair_up(std::get<i>(sources), std::get<i>(gradients), to), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<S>>());
  } else if constexpr (is_vector<S> || is_map<S>) {
    if (sources.size() != gradients.size()) fail_unpaired(sources.size(), gradients.size());
    auto g = gradients.begin();
    for (auto s = sources.begin(); s != sources.end(); ++s, ++g) {
      if constexpr (is_map<S>)
        pair_up(s->second, g->second, to);
      else
        pair_up(*s, *g, to);
    }
  } else if constexpr (is_optional<S>) {
    if (bool(sources) != bool(gradients)) fail_unpaired(bool(sources), bool(gradients));
    if (sources) pair_up(*sources, *gradients, to);
  } else {
    static_assert(HoldsVariables<S>::value, "gradients by variable: of variables and models, not of tensors");
  }
}
}  // namespace detail

/// What tape.gradient(target, sources) gives for a structure of variables and models, by variable. ArgumentError where
/// one of the two has more parts.
///
///     Gradients g = by_variable(layers, tape.gradient(loss, layers));        // std::vector<nn::Linear> layers
///     by_variable(std::tie(w, b), tape.gradient(loss, std::tie(w, b)))[w];
template <Structured S, Structured G> Gradients by_variable(const S& sources, const G& gradients) {
  Gradients result;
  detail::pair_up(sources, gradients, result);
  return result;
}

}  // namespace weft
