// What all rounds of a loop have in common, taken out of it.
#pragma once

#include "control_ops.h"

namespace weft {

/// A loop and its inputs that give the same. Before it, once, is computed what depends on no round: but for views,
/// which cost nothing there. A matrix whose transpose multiplies many rows is turned before it, too; and rows of an
/// element too few to hide that the matrix is read for them are multiplied with those of all other rounds.
struct Loop {
  ScanAttrs attrs;
  std::vector<Tensor> in;
};
Loop without_invariants(const ScanAttrs& attrs, std::span<const Tensor> in);

}  // namespace weft
