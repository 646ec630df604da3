// Eager elementwise ops: strides, tiles and threads around the loops of one ISA.
#pragma once

#include "../op.h"

namespace weft {

/// Computes an elementwise op; `out` is contiguous.
void run_elementwise(const Op& op, const Attrs& attrs, Views in, const View& out);

/// The built-in loops of the list's index-th op for one ISA (defined in loops_*.cpp).
const NativeLoops* native_loops_base(int index);
const NativeLoops* native_loops_avx2(int index);
const NativeLoops* native_loops_avx512(int index);

}  // namespace weft
