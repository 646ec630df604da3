#include "reduce.h"

#include <algorithm>
#include <cstring>

#include "../../tensor/isa.h"
#include "../../tensor/parallel.h"

namespace weft {
namespace {

const ReduceLoops& loops_in_use() {
  static const ReduceLoops* const loops = isa() == Isa::avx512 ? reduce_loops_avx512()
                                          : isa() == Isa::avx2 ? reduce_loops_avx2()
                                                               : reduce_loops_base();
  return *loops;
}

// n elements of the identity: what a row of no elements reduces to.
void clear(Reduction op, DType dtype, std::byte* p, std::int64_t n) {
  alignas(64) std::byte identity[8];
  loops_in_use().row[static_cast<int>(op)][static_cast<int>(dtype)](nullptr, identity, 0);
  const std::size_t size = size_of(dtype);
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(p + static_cast<std::size_t>(i) * size, identity, size);
}

}  // namespace

void reduce_block(Reduction op, DType dtype, const void* in, void* out, std::int64_t n) {
  loops_in_use().row[static_cast<int>(op)][static_cast<int>(dtype)](in, out, n);
}

void combine_blocks(Reduction op, DType dtype, const void* partial, std::int64_t blocks, std::int64_t inner,
                    void* out) {
  clear(op, dtype, static_cast<std::byte*>(out), inner);
  loops_in_use().columns[static_cast<int>(op)][static_cast<int>(dtype)](partial, inner, out, blocks, inner);
}

void run_reduction(Reduction op, std::int64_t outer, std::int64_t n, std::int64_t inner, const View& in,
                   const View& out) {
  if (outer * inner == 0) return;
  constexpr std::int64_t piece = 64 * 1024;  // elements: what is put in order stays in L2
  if (outer > 1 && outer * n * inner > piece && !in.contiguous()) {
    int axis = 0;
    while (in.shape[axis] == 1) ++axis;
    const std::int64_t rows = in.shape[axis], each = outer / rows,
                       step = std::max<std::int64_t>(1, piece / std::max<std::int64_t>(1, each * n * inner));
    if (step < rows) {
      for (std::int64_t first = 0; first < rows; first += step) {
        View part = in, result = out;
        part.shape[axis] = std::min(step, rows - first);
        const auto size = static_cast<std::int64_t>(size_of(in.dtype));
        part.data = in.as<std::byte>() + first * in.strides[axis] * size;
        result.data = out.as<std::byte>() + first * each * inner * size;
        run_reduction(op, part.shape[axis] * each, n, inner, part, result);
      }
      return;
    }
  }
  const auto row = loops_in_use().row[static_cast<int>(op)][static_cast<int>(in.dtype)];
  const auto columns = loops_in_use().columns[static_cast<int>(op)][static_cast<int>(in.dtype)];
  const auto size = static_cast<std::int64_t>(size_of(in.dtype));

  Storage copy;
  const std::byte* const x = detail::in_order(in, copy);
  std::byte* y = out.as<std::byte>();
  const int threads = outer * n * inner < 1 << 15 ? 1 : num_threads();
  const std::int64_t block = inner == 1 ? row_block : column_block,
                     blocks = std::max<std::int64_t>(1, (n + block - 1) / block);
  if (inner == 1 && blocks == 1) {  // a single block is its row's result: from the identity on it changes no bit
    const std::int64_t rows = std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, n));
    return parallel_for((outer + rows - 1) / rows, threads, [&](std::int64_t task) {
      for (std::int64_t o = task * rows; o < std::min(outer, (task + 1) * rows); ++o)
        row(x + o * n * size, y + o * size, n);
    });
  }
  // Every block on its own into `partial` ([outer, blocks, inner]), then the blocks in order.
  Storage partials = Storage::allocate(static_cast<std::size_t>(outer * blocks * inner * size));
  std::byte* partial = partials.data();
  const std::int64_t panel = inner == 1 ? 1 : std::min<std::int64_t>(inner, 1024), panels = (inner + panel - 1) / panel;
  const std::int64_t units = outer * blocks * panels;
  const std::int64_t group = std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, std::min(block, n) * panel));
  parallel_for((units + group - 1) / group, threads, [&](std::int64_t task) {
    for (std::int64_t u = task * group; u < std::min(units, (task + 1) * group); ++u) {
      const std::int64_t o = u / (blocks * panels), b = u / panels % blocks, c = u % panels * panel;
      const std::int64_t rows = std::min(block, n - b * block);
      const std::byte* from = x + ((o * n + b * block) * inner + c) * size;
      std::byte* to = partial + ((o * blocks + b) * inner + c) * size;
      if (inner == 1) {
        row(from, to, rows);
      } else {
        const std::int64_t width = std::min(panel, inner - c);
        clear(op, in.dtype, to, width);
        columns(from, inner, to, rows, width);
      }
    }
  });
  for (std::int64_t o = 0; o < outer; ++o)
    combine_blocks(op, in.dtype, partial + o * blocks * inner * size, blocks, inner, y + o * inner * size);
}

}  // namespace weft
