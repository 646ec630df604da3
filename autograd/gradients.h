// Gradients: of a model, indexed by variable.
#pragma once

#include <vector>

#include "structure.h"

namespace weft {

class Gradients {
 public:
  void add(const Variable& variable, const Tensor& gradient) { list_.push_back({variable.state(), gradient}); }

  /// The gradient for a variable; undefined if the target does not depend on it. ArgumentError if it was no source.
  const Tensor& operator[](const Variable& variable) const;
  bool contains(const Variable& variable) const;
  std::size_t size() const { return list_.size(); }

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

/// map(leaf), a Tensor, for each leaf of s, in the structure that results come in: those of a model are Gradients.
template <class S, class Map> auto map_results(const S& s, Map&& map) {
  if constexpr (std::is_same_v<S, Gradients>) {
    Gradients g = s;
    for (Gradients::Item& item : g) item.gradient = map(item.gradient);
    return g;
  } else if constexpr (Model<S>) {
    Gradients g;
    each_leaf(s, [&](const auto& leaf) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(leaf)>, Variable>) {
        const Tensor result = map(leaf);
        if (leaf.trainable() && !g.contains(leaf)) g.add(leaf, result);  // two members may be references to one
      } else {
        map(leaf);
      }
    });
    return g;
  } else {
    return map_leaves(s, map);
  }
}

}  // namespace weft
