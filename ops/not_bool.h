// Numbers that are no bool, though they would become one.
#pragma once

#include <concepts>
#include <type_traits>

namespace weft {

/// A number where a bool is meant, as other frameworks have one there: a second axis for keepdims, a number of layers
/// or a rate for a bias. Functions that take one are deleted.
template <class T>
concept NotBool = std::is_arithmetic_v<T> && !std::same_as<T, bool>;

}  // namespace weft
