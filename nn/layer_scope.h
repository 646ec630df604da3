// The scope of a layer's call in profiles. Library files only.
#pragma once

#include <optional>
#include <string>

#include "../ops/variable.h"
#include "../tensor/scope.h"

namespace weft::nn {

/// "fc1: Linear", where an optimizer or name_parameters has named the layer's weight "fc1.weight"; else "Linear".
/// `depth`: how many names of the weight's path are within the layer.
class LayerScope {
 public:
  explicit LayerScope(const char* kind, const Variable* weight = nullptr, int depth = 1)
      : scope_(weft::detail::watched() ? name(kind, weight, depth) : std::string()) {}
  LayerScope(const char* kind, const std::optional<Variable>& weight) : LayerScope(kind, weight ? &*weight : nullptr) {}

 private:
  static std::string name(const char* kind, const Variable* weight, int depth) {
    std::string path = weight && weight->defined() ? weight->name() : "";
    for (; depth > 0; --depth) {
      const std::size_t dot = path.rfind('.');
      if (dot == std::string::npos) return kind;
      path.resize(dot);
    }
    return path + ": " + kind;
  }

  const ProfileScope scope_;
};

}  // namespace weft::nn
