// Formulas as they stand: how an op without built-in loops (a user's own) runs eagerly, a tile at a time.
#pragma once

#include <span>

#include "../formula.h"

namespace weft {

/// Evaluates `formula` for n elements; operands and result of the formula's types (masks as bool bytes).
void run_formula(const Formula& formula, std::span<const void* const> in, void* out, std::int64_t n);

}  // namespace weft
