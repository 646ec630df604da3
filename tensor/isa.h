// Which instruction set the loops, the code generator and oneDNN may use.
#pragma once

#include <cstdint>

namespace weft {

enum class Isa : std::uint8_t { base, avx2, avx512 };

/// The best level that this CPU has, clamped by WEFT_ISA=base|avx2|avx512. Decided once, at the first call.
/// avx2 stands for AVX2 + FMA + F16C; avx512 for F, BW, DQ, VL and CD on top.
Isa isa();

/// Of three, the one for this level.
template <class T> T by_isa(Isa level, T base, T avx2, T avx512) {
  return level == Isa::avx512 ? avx512 : level == Isa::avx2 ? avx2 : base;
}

/// Whether isa() is avx512 and the CPU has an instruction for pairs of bf16 that does more than fmas of f32 do. Intel's
/// CPUs issue two fmas a cycle and one of those in two (measured on a Xeon of model 207: 85 against 175 GFLOP/s).
bool has_quick_bf16();

/// "base", "avx2" or "avx512".
const char* name_of(Isa level);

}  // namespace weft
