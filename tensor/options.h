// Options: what the calls of a struct depend on, beside the tensors in it.
#pragma once

#include <tuple>

/// The one line by which a struct names its options, numbers and structs of options. A model is passed to a compiled
/// function by reference: by this line a call can tell that a layer is not the one that was traced.
///
///     struct Scale { double factor;  WEFT_OPTIONS(factor) };
#define WEFT_OPTIONS(...) \
  auto weft_options() const { return std::tie(__VA_ARGS__); }

namespace weft {

template <class T>
concept HasOptions = requires(const T& t) {
  t.weft_options();
};

}  // namespace weft
