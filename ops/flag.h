// A parameter that is on or off.
#pragma once

#include <concepts>

namespace weft {

/// A bool and nothing that would become one: no text ("ij", "relu"), no second axis, no rate, no number of layers, all
/// of which stand where other frameworks have them, and would be true.
class Flag {
 public:
  template <std::same_as<bool> T> constexpr Flag(T on) : on_(on) {}
  constexpr operator bool() const { return on_; }

 private:
  bool on_;
};

}  // namespace weft
