#include "reduce.h"

#include <algorithm>

#include "../../tensor/isa.h"
#include "../../tensor/parallel.h"

namespace weft {
namespace {

const ReduceLoops& loops_in_use() {
  static const ReduceLoops* const loops = by_isa(isa(), reduce_loops_base, reduce_loops_avx2, reduce_loops_avx512)();
  return *loops;
}

}  // namespace

void reduce_block(Reduction op, DType dtype, const void* in, void* out, std::int64_t n) {
  loops_in_use().rows[static_cast<int>(op)][static_cast<int>(dtype)](in, out, n, 1);
}

void combine_blocks(Reduction op, DType dtype, const void* partial, std::int64_t blocks, std::int64_t inner,
                    void* out) {
  loops_in_use().columns[static_cast<int>(op)][static_cast<int>(dtype)](partial, out, {1, 0, blocks, inner, inner});
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
  const auto rows = loops_in_use().rows[static_cast<int>(op)][static_cast<int>(in.dtype)];
  const auto columns = loops_in_use().columns[static_cast<int>(op)][static_cast<int>(in.dtype)];
  const auto size = static_cast<std::int64_t>(size_of(in.dtype));

  Storage copy;
  const std::byte* const x = detail::in_order(in, copy);
  std::byte* y = out.as<std::byte>();
  const int threads = outer * n * inner < 1 << 15 ? 1 : num_threads();
  const std::int64_t block = inner == 1 ? row_block : column_block,
                     blocks = std::max<std::int64_t>(1, (n + block - 1) / block),
                     panel = std::min<std::int64_t>(inner, 1024), panels = (inner + panel - 1) / panel;
  constexpr std::int64_t task_size = 8192;  // elements
  if (blocks == 1 && panels == 1) {         // a single block is the result
    const std::int64_t each = std::max<std::int64_t>(1, task_size / std::max<std::int64_t>(1, n * inner));
    return parallel_for((outer + each - 1) / each, threads, [&](std::int64_t task) {
      const std::int64_t first = task * each, count = std::min(outer - first, each);
      const std::byte* const from = x + first * n * inner * size;
      std::byte* const to = y + first * inner * size;
      inner == 1 ? rows(from, to, n, count) : columns(from, to, {count, n * inner, n, inner, inner});
    });
  }
  // Every block on its own into `partial` ([outer, blocks, inner]), then the blocks in order.
  Storage partials;
  std::byte* partial = y;
  if (blocks > 1) {
    partials = Storage::allocate(static_cast<std::size_t>(outer * blocks * inner * size));
    partial = partials.data();
  }
  const std::int64_t units = outer * blocks * panels;
  const std::int64_t group =
      std::max<std::int64_t>(1, task_size / std::max<std::int64_t>(1, std::min(block, n) * panel));
  parallel_for((units + group - 1) / group, threads, [&](std::int64_t task) {
    for (std::int64_t u = task * group; u < std::min(units, (task + 1) * group); ++u) {
      const std::int64_t o = u / (blocks * panels), b = u / panels % blocks, c = u % panels * panel;
      const std::int64_t there = std::min(block, n - b * block);
      const std::byte* from = x + ((o * n + b * block) * inner + c) * size;
      std::byte* to = partial + ((o * blocks + b) * inner + c) * size;
      inner == 1 ? rows(from, to, there, 1) : columns(from, to, {1, 0, there, inner, std::min(panel, inner - c)});
    }
  });
  if (blocks == 1) return;
  for (std::int64_t o = 0; o < outer; ++o)
    combine_blocks(op, in.dtype, partial + o * blocks * inner * size, blocks, inner, y + o * inner * size);
}

}  // namespace weft
