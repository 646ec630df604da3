// The interpreter's part for kernels whose rows lie interleaved.
#pragma once

#include "kernel.h"

namespace weft {

void interpret_interleaved(const Kernel& kernel, const KernelCall& call);

}  // namespace weft
