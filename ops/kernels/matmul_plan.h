// The one door to matrix products: which kernel, how many threads, what is copied first.
#pragma once

#include <cstdint>

#include "../../tensor/dtype.h"
#include "epilogue.h"

namespace weft {

/// batch products C[b] = A[b] B[b] with A [m, k], B [k, n], and C [batch, m, n] contiguous. Strides in elements, any
/// value: 0 repeats (a_batch = 0: one A for the whole batch), a transpose is a swap. Extents may be 0.
struct MatmulShape {
  std::int64_t batch = 1, m = 0, n = 0, k = 0;
  std::int64_t a_batch = 0, a_row = 0, a_col = 1, b_batch = 0, b_row = 0, b_col = 1;
  DType dtype = DType::f32;
};

/// Computes it, on several threads where that pays. Each element is the sum over k in order, one fma per term, from 0;
/// bf16 and f16 are summed in f32 and rounded once; integers wrap around. So the bits depend on nothing but the values:
/// not on strides, threads, batch or instruction set. bf16 is summed as AVX512-BF16's instruction does, also where a
/// CPU does not have it: k = 1, 0, 3, 2, ..., f32 subnormals taken for zeros. Throws std::invalid_argument for bool,
/// OutOfMemory.
void matmul(const MatmulShape&, const void* a, const void* b, void* c);

/// The same, of one product whose elements are not stored, but go to the epilogue. Where nothing keeps it from that.
void matmul(const MatmulShape&, const void* a, const void* b, const MatmulEpilogue&);
/// What keeps a product from taking an epilogue: "it has few rows or columns"; null: it is one of floats, of many rows,
/// whose k is summed in one go.
const char* epilogue_obstacle(const MatmulShape&);

namespace detail {
/// How one thread's work of an m x n product is cut into rows x columns pieces. Speed only: no cut changes a bit.
struct MatmulCut {
  std::int64_t rows, columns;
};
MatmulCut matmul_cut(std::int64_t m, std::int64_t n, std::int64_t pieces);
}  // namespace detail

}  // namespace weft
