// Weft's own matrix products, compiled once per instruction set. One definition of the result, for every level, any
// blocking and any number of threads:
//     acc = 0;  for k in order: acc = fma(a[i][k], b[k][j], acc);  c[i][j] = acc
// (integers: the same with wrap-around). So all levels give the same bits, and a cut of rows or columns changes none.
// bf16 is summed as the instruction for it does, in f32: of two k the odd one first, and subnormals are zeros, as
// operands and as sums; each sum is rounded to bf16 once.
#pragma once

#include <cstdint>

#include "../../tensor/dtype.h"
#include "../../tensor/isa.h"
#include "epilogue.h"

namespace weft::kernels {

/// batch products C[m, n] = A[m, k] B[k, n] on one thread. Strides in elements, any value; C's columns are contiguous.
/// k may be 0. `scratch`: matmul_scratch_bytes() for packed blocks, aligned to 64 bytes (unused for integers).
struct Matmul {
  std::int64_t batch, m, n, k;
  std::int64_t a_batch, a_row, a_col, b_batch, b_row, b_col, c_batch, c_row;
  const void* a;
  const void* b;
  void* c;
  void* scratch;
  bool add = false;  // f32, f64: the sums go on from what C holds
  // Of one product of floats, k at most epilogue_depth: what takes the sums. They are not stored, c is not used.
  const MatmulEpilogue* epilogue = nullptr;
  std::int64_t row = 0, column = 0;  // what the epilogue calls the first ones
};
using MatmulFn = void (*)(const Matmul&);

/// The kernel for an element type (f32, f64, i32, i64, u8; bf16 on avx512) at a level; null for others.
MatmulFn matmul_kernel(DType, Isa);

/// How much scratch any product of these extents needs, with an epilogue or without.
std::int64_t matmul_scratch_bytes(DType, std::int64_t m, std::int64_t n, std::int64_t k, bool epilogue = false);

// The levels' own entry points: use matmul_kernel().
void matmul_f32_base(const Matmul&);
void matmul_f64_base(const Matmul&);
void matmul_i32_base(const Matmul&);
void matmul_i64_base(const Matmul&);
void matmul_u8_base(const Matmul&);
void matmul_f32_avx2(const Matmul&);
void matmul_f64_avx2(const Matmul&);
void matmul_i32_avx2(const Matmul&);
void matmul_i64_avx2(const Matmul&);
void matmul_u8_avx2(const Matmul&);
void matmul_f32_avx512(const Matmul&);
void matmul_f64_avx512(const Matmul&);
void matmul_i32_avx512(const Matmul&);
void matmul_i64_avx512(const Matmul&);
void matmul_u8_avx512(const Matmul&);
void matmul_bf16_avx512(const Matmul&);
void matmul_bf16_avx512bf16(const Matmul&);

/// Blocking, in bytes, shared with those that call: k is cut into equal parts of at most block_depth, so that a panel
/// of B stays in L1 (measured: parts three times as long are 5 to 12 % slower on a Xeon); A into blocks of at most
/// block_rows, which with their part of C stay in L2 (more of them 4 to 15 %), B into block_columns. C on its way to an
/// epilogue is cut into block_strip, of so many columns that all of B for them is at most strip_of_b, but no fewer than
/// strip_columns; beside sums longer than epilogue_depth a pass over C is cheap. bf16 takes strip_rows of A at a time.
inline constexpr std::int64_t block_depth = 1024, block_rows = 256, block_columns = 1024, epilogue_depth = 3200,
                              strip_of_b = 768 * 1024, strip_rows = 512, strip_columns = 128, block_strip = 256 * 1024;

}  // namespace weft::kernels
