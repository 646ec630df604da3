// Axes, as functions that take any number of them are given them: f(x, 1), f(x, {0, -1}); f(x): all.
#pragma once

#include <initializer_list>
#include <optional>

#include "../tensor/shape.h"

namespace weft {

/// Some of a tensor's axes; none given means all.
struct Axes {
  std::optional<Ints> list;
  Axes() = default;
  Axes(std::nullopt_t) {}
  Axes(int axis) : list(Ints{axis}) {}
  Axes(std::int64_t axis) : list(Ints{axis}) {}
  Axes(std::initializer_list<std::int64_t> axes) : list(Ints(axes)) {}
  Axes(const Ints& axes) : list(axes) {}
};

}  // namespace weft
