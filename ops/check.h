// Checks of values, as ops: in a compiled step they run before anything is written.
#pragma once

#include "arg.h"

namespace weft {

/// x, after a check that every element is finite; NumericsError names the first that is not. Floats. In a compiled step
/// a failed check leaves every variable as it was; the check stays even where the result is not used.
Tensor assert_finite(const Arg& x);

}  // namespace weft
