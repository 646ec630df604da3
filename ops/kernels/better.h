// The order in which the largest and the smallest elements are looked for.
#pragma once

namespace weft {

/// Whether `candidate` takes the place of the best so far: a NaN is never replaced, and replaces all else.
template <bool largest, class T> bool is_better(const T& candidate, const T& best) {
  return best == best && ((largest ? candidate > best : candidate < best) || candidate != candidate);
}

}  // namespace weft
