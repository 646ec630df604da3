// Axes, as functions are given them: one, f(x, -1), or any number, f(x, 1), f(x, {0, -1}), f(x): all.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <type_traits>

#include "../tensor/shape.h"

namespace weft {

/// What is an axis: an integer or a plain enumerator. No bool, which was meant for the parameter behind it, no dtype,
/// no fraction.
template <class T>
concept AxisNumber = (std::integral<T> || std::is_enum_v<T>)&&std::convertible_to<T, std::int64_t> &&
                     !std::same_as<T, bool>;

/// One axis; negative ones count from the end.
class Axis {
 public:
  template <AxisNumber T> constexpr Axis(T axis) : axis_(static_cast<std::int64_t>(axis)) {}
  constexpr operator std::int64_t() const { return axis_; }

 private:
  std::int64_t axis_;
};

/// For fmt, which from its version 10 on takes no conversion.
constexpr std::int64_t format_as(Axis axis) { return axis; }

/// Some of a tensor's axes; none given means all.
struct Axes {
  std::optional<Ints> list;
  Axes() = default;
  Axes(std::nullopt_t) {}
  template <std::convertible_to<Axis> T> Axes(T axis) : list(Ints{Axis(axis)}) {}
  Axes(std::initializer_list<std::int64_t> axes) : list(Ints(axes)) {}
  Axes(const Ints& axes) : list(axes) {}
};

}  // namespace weft
