// The loops of the interpreter: one scalar operation, one load, store or reduction step over the elements of a tile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../formula.h"
#include "../reduction.h"

namespace weft::tile {

// Values in a tile have their compute type; a mask is one bool an element.

/// out[k] = op(a[k], b[k], c[k]) for k < n; any op but input and constant. `source` is the type of operand a. A convert
/// to bf16 or f16 rounds to it, and makes an f32 of that.
void run(const Instruction& i, DType source, std::size_t n, void* out, const void* a, const void* b, const void* c);

/// out[k] = *value for k < n.
void fill(DType t, std::size_t n, void* out, const void* value);

/// n elements `stride` bytes apart, as stored, to or from a tile.
void load(DType stored, std::size_t n, void* out, const void* from, std::int64_t stride);
void store(DType stored, std::size_t n, const void* values, void* to, std::int64_t stride);

/// n accumulators set to the identity.
void clear(Reduction op, DType t, std::size_t n, void* accumulators);
/// accumulators[k] = combine(accumulators[k], values[k]).
void combine(Reduction op, DType t, std::size_t n, void* accumulators, const void* values);
/// accumulators[k mod 16] = combine(accumulators[k mod 16], values[k]), in order.
void accumulate(Reduction op, DType t, std::size_t n, void* accumulators, const void* values);
/// 16 accumulators to the first of them: i with i + 8, i + 4, i + 2, i + 1.
void tree(Reduction op, DType t, void* accumulators);

}  // namespace weft::tile
