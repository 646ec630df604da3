#include "matmul.h"

#include <algorithm>

namespace weft::kernels {

MatmulFn matmul_kernel(DType t, Isa level) {
  constexpr MatmulFn table[3][5] = {
      {matmul_f32_base, matmul_f64_base, matmul_i32_base, matmul_i64_base, matmul_u8_base},
      {matmul_f32_avx2, matmul_f64_avx2, matmul_i32_avx2, matmul_i64_avx2, matmul_u8_avx2},
      {matmul_f32_avx512, matmul_f64_avx512, matmul_i32_avx512, matmul_i64_avx512, matmul_u8_avx512}};
  const auto& row = table[static_cast<int>(level)];
  switch (t) {
    case DType::f32: return row[0];
    case DType::f64: return row[1];
    case DType::i32: return row[2];
    case DType::i64: return row[3];
    case DType::u8: return row[4];
    case DType::bf16:
      if (level != Isa::avx512) return nullptr;
      return has_quick_bf16() ? matmul_bf16_avx512bf16 : matmul_bf16_avx512;
    default: return nullptr;
  }
}

std::int64_t matmul_scratch_bytes(DType t, std::int64_t m, std::int64_t n, std::int64_t k, bool epilogue) {
  if (!is_floating(t)) return 0;
  const bool narrow = t == DType::bf16;  // packed as large as its sums: each element, or each pair of them
  if (narrow) k += k % 2;
  const auto size = narrow ? std::int64_t{4} : static_cast<std::int64_t>(size_of(t));
  const std::int64_t depth = std::min(k, block_depth / size) + 16;
  const std::int64_t most = epilogue ? std::max(strip_of_b / size / std::max<std::int64_t>(k, 1), strip_columns)
                                     : block_columns;  // then B's part for a strip is packed whole, over all of k
  const std::int64_t columns = std::min({std::max(m, n), most, block_columns}) + 64,
                     b = columns * (epilogue ? k + 16 : depth);
  const std::int64_t a =
      std::min(block_rows, std::max(m, n)) * depth + 64 + 64 * depth;  // and room for whole vectors behind it
  const bool cut = narrow && k > block_depth / size;  // then of a strip of rows, or of a column as a row
  const std::int64_t sums = !cut       ? 0
                            : epilogue ? block_strip / 2
                                       : std::min(m, n == 1 ? block_columns : strip_rows) * std::min(n, block_columns);
  return (a + b + sums) * size + block_strip;
}

}  // namespace weft::kernels
