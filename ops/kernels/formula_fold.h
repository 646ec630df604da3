// Formulas of which an operand is one known number.
#pragma once

#include <span>

#include "../formula.h"

namespace weft {

/// An operand that is the same for all elements: its number, and the bits of the number in the operand's compute type.
struct KnownOperand {
  std::uint64_t operand, bits;
};

/// The formula with these operands for constants: what follows from them alone is computed now, what nothing needs any
/// more is left out. The same bits: pow(x, 2) is x * x then.
Formula folded(const Formula& formula, std::span<const KnownOperand> known);

}  // namespace weft
