// One f32 or bf16 product through oneDNN, on the calling thread. No header of oneDNN's is seen here.
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

/// Whether oneDNN's bits survive a cut of the rows or columns: so for its AVX-512 kernels (brgemm: each element is
/// summed over k in an order that k alone decides), not for the older ones. The cut must then follow from the shape
/// alone.
bool splits_keep_bits();

}  // namespace weft::onednn
