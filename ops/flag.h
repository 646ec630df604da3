// A parameter that is on or off.
#pragma once

#include <concepts>
#include <type_traits>

namespace weft {

/// A bool, or what stands for one: an element of a std::vector<bool>, a std::atomic<bool>.
template <class T>
concept Boolean = std::same_as<T, bool> ||
    (std::is_class_v<T>&& std::convertible_to<const T&, bool>&& requires(const T& t) {
      { t.operator bool() } -> std::same_as<bool>;
    });

/// A bool and nothing that would become one: no text ("ij", "relu"), no second axis, no rate, no number of layers, all
/// of which stand where other frameworks have them, and would be true.
class Flag {
 public:
  template <Boolean T> constexpr Flag(const T& on) : on_(on) {}
  constexpr operator bool() const { return on_; }

 private:
  bool on_;
};

}  // namespace weft
