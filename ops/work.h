// What an op costs, from its types alone: profiles and benches hold it against what the machine can do.
#pragma once

#include "op.h"

namespace weft {

/// The arithmetic of one application: by the Formula, an operation for each element reduced, or the op's own rule. Of
/// an op that holds graphs nothing: their nodes count for themselves.
OpWork work_of(const Op& op, const Attrs& attrs, Types in, Types out);

/// So many multiply-adds of elements of this type.
constexpr OpWork multiply_adds(double n, DType type) {
  return type == DType::bf16 ? OpWork{{.halves = n}, 2 * n} : OpWork{{.operations = n, .products = n}, 2 * n};
}

}  // namespace weft
