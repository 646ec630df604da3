// Gradients: of a model, indexed by variable.
#pragma once

#include <unordered_set>
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

}  // namespace weft
