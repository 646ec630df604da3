// One f32 or bf16 product through oneDNN, on the calling thread. No header of oneDNN's is seen here.
//
// f32 and f64 do not come here: our own kernels (ops/kernels/matmul.h) are as fast, and their bits depend on the values
// alone. oneDNN's do not only differ between instruction sets: its AVX-512 kernel cuts k by a size that it derives from
// m, n and k (seen from k = 512 on; narrow ones of 1 or 3 columns at any k), so a product computed in panels has other
// bits than the whole. Use this for bf16 tiles, whole or in panels that the shape alone decides, and as a yardstick.
#pragma once

#include <cstdint>

#include "../../tensor/dtype.h"

namespace weft::onednn {

/// C[m, n] = A[m, k] B[k, n]. Strides in elements; of A's two strides one is 1, of B's as well, C's columns are
/// contiguous. m, n and k are at least 1. A transpose is a pair of strides and costs nothing.
struct Matmul {
  std::int64_t m, n, k;
  std::int64_t a_row, a_col, b_row, b_col, c_row;
  DType inputs = DType::f32, output = DType::f32;  // f32 from f32; bf16 or f32 from bf16

  bool operator==(const Matmul&) const = default;
};

/// Runs it. The primitive is built at the first call with this geometry (about 0.2 ms) and kept.
/// Throws std::runtime_error, which names the operands, when oneDNN refuses.
void run(const Matmul&, const void* a, const void* b, void* c);

}  // namespace weft::onednn
