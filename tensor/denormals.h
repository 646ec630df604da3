// Denormals: numbers so near 0 that their leading bits are zeros (f32 below 1.2e-38), on which many CPUs take up to a
// hundred times as long. A saturated softmax and long decays are full of them.
#pragma once

namespace weft {

/// Whether the calling thread, and those that compute for it, take denormals for 0, as operands and as results. Not at
/// first: every number is what IEEE 754 says. TensorFlow and XLA do so; PyTorch has the same function. Results then
/// differ in such numbers, alike eager and compiled.
void set_flush_denormals(bool flush);
bool flush_denormals();

namespace detail {
/// The thread's mode of computing: what becomes of denormals, how results are rounded.
unsigned float_mode();
void set_float_mode(unsigned mode);
}  // namespace detail

}  // namespace weft
