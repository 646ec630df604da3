// Runs a Kernel as it stands, tile by tile, one loop an instruction: for machines without the code generator, and the
// reference that generated code is compared with.
#pragma once

#include "kernel.h"

namespace weft {

/// Does what the compiled kernel would do, with the same bits.
void interpret(const Kernel& kernel, const KernelCall& call);

}  // namespace weft
