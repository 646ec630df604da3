// What an op costs, from its types alone: profiles and benches hold it against what the machine can do.
#pragma once

#include "op.h"

namespace weft {

/// The arithmetic of one application: by the Formula, an operation for each element reduced, or the op's own rule. Of
/// an op that holds graphs nothing: their nodes count for themselves.
OpWork work_of(const Op& op, const Attrs& attrs, Types in, Types out);

/// How many registers the machine needs for elements of this type where f32 needs one.
constexpr double registers(DType type) { return size_of(type) == 8 ? 2 : 1; }

/// So many multiply-adds of elements of this type.
constexpr OpWork multiply_adds(double n, DType type) {
  if (type == DType::bf16) return {{.halves = n}, 2 * n};
  const double issued = n * registers(type);
  return {{.operations = issued, .products = issued}, 2 * n};
}

}  // namespace weft
