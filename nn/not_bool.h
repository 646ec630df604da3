// Numbers that are no bool, though they would become one.
#pragma once

#include <concepts>
#include <type_traits>

namespace weft::nn {

/// The third argument of other frameworks' layers is a number, of layers or a rate; of ours it says whether there is a
/// bias. Constructors that take such a number are deleted.
template <class T> concept NotBool = std::is_arithmetic_v<T> && !std::same_as<T, bool>;

}  // namespace weft::nn
