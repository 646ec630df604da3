#include "launch.h"

#include <algorithm>

#include "../ops/kernels/reduce.h"
#include "../tensor/parallel.h"
#include "../tensor/storage.h"
#include "interpreter.h"

namespace weft {
namespace {

constexpr double parallel_work = 1 << 18;       // elements times instructions from which a second thread pays
constexpr std::int64_t column_piece = 1 << 14;  // columns that a thread takes at a time
constexpr std::size_t max_operands = Launch::max_operands;

// Row buffers, one set a thread.
void* thread_scratch(std::size_t bytes) {
  thread_local Storage scratch;
  if (bytes > scratch.bytes()) scratch = Storage::allocate(bytes);
  return scratch.data();
}

// The operands of one launch with their addresses, and the kernel called on parts of it.
struct Caller {
  const Launch& launch;
  void* base[max_operands];
  std::int64_t col[max_operands], repeat[max_operands];
  std::size_t scratch_bytes_;

  Caller(const Launch& l, std::byte* const* slots) : launch(l) {
    for (std::size_t k = 0; k < l.operands.size(); ++k) {
      base[k] = slots[l.operands[k].value] + l.operands[k].offset;
      col[k] = l.operands[k].col_stride;
      repeat[k] = l.operands[k].repeat;
    }
    scratch_bytes_ = l.scratch_bytes;
  }

  void call(void* const* pointers, const std::int64_t* row_strides, std::int64_t rows, std::int64_t cols) const {
    KernelCall c{pointers, row_strides, col, rows, cols, scratch_bytes_ ? thread_scratch(scratch_bytes_) : nullptr};
    c.repeats = repeat;
    if (launch.kernel.interleaved) c.cols = launch.cols, c.interleave = cols;
    call_kernel(launch.kernel, launch.function, c);
  }

  // From one column to the next; of interleaved rows, from one of them to the next.
  std::int64_t step(std::size_t k) const {
    return launch.kernel.interleaved ? lane_stride(launch.kernel.operands[k]) : col[k];
  }

  // Rows [begin, end) in row-major order of the row axes; columns [first, first + cols), or so many of the rows that
  // lie interleaved. Accumulators of column reductions start anew at each call of the kernel: such a launch has one row
  // axis.
  void rows(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t cols,
            void* const* from = nullptr) const {
    const int axes = launch.rows.size();
    const std::int64_t inner = axes ? launch.rows[axes - 1] : 1;
    void* pointers[max_operands];
    std::int64_t strides[max_operands];
    for (std::int64_t r = begin; r < end;) {
      const std::int64_t n = std::min(inner - r % inner, end - r);
      for (std::size_t k = 0; k < launch.operands.size(); ++k) {
        const LaunchOperand& o = launch.operands[k];
        std::int64_t offset = first * step(k), rest = r;
        for (int a = axes; a-- > 0;) {
          offset += rest % launch.rows[a] * o.row_strides[a];
          rest /= launch.rows[a];
        }
        pointers[k] = static_cast<std::byte*>(from ? from[k] : base[k]) + offset;
        strides[k] = axes ? o.row_strides[axes - 1] : 0;
      }
      call(pointers, strides, n, cols);
      r += n;
    }
  }
};

// One long row that is reduced. Each block of columns is a row to the kernel; its results go to `partials`.
void run_blocks(const Caller& c, int threads) {
  const Launch& l = c.launch;
  const std::int64_t blocks = (l.cols + row_block - 1) / row_block, rest = l.cols - (blocks - 1) * row_block;
  struct Partial {
    std::size_t operand;
    const KernelReduction* reduction;
    Storage storage;
  };
  std::vector<Partial> partials;
  for (const KernelStore& s : l.kernel.stores)
    if (const int r = l.kernel.code[s.value].reduced; r >= 0)
      partials.push_back({s.operand, &l.kernel.reductions[static_cast<std::size_t>(r)],
                          Storage::allocate(static_cast<std::size_t>(blocks) * 8)});
  void* start[max_operands];
  std::int64_t strides[max_operands];
  for (std::size_t k = 0; k < l.operands.size(); ++k) {
    start[k] = c.base[k];
    strides[k] = l.operands[k].col_stride * row_block;
  }
  for (const Partial& p : partials) {
    start[p.operand] = p.storage.data();
    strides[p.operand] = static_cast<std::int64_t>(size_of(p.reduction->dtype));
  }
  constexpr std::int64_t group = 4;
  parallel_for((blocks + group - 1) / group, threads, [&](std::int64_t t) {
    void* pointers[max_operands];
    const std::int64_t first = t * group, last = std::min(blocks, first + group),
                       whole = last == blocks && rest < row_block ? last - 1 : last;
    for (std::size_t k = 0; k < l.operands.size(); ++k)
      pointers[k] = static_cast<std::byte*>(start[k]) + first * strides[k];
    if (whole > first) c.call(pointers, strides, whole - first, row_block);
    if (whole == last) return;
    for (std::size_t k = 0; k < l.operands.size(); ++k)
      pointers[k] = static_cast<std::byte*>(start[k]) + whole * strides[k];
    c.call(pointers, strides, 1, rest);
  });
  for (const Partial& p : partials)
    combine_blocks(p.reduction->op, p.reduction->dtype, p.storage.data(), blocks, 1, c.base[p.operand]);
}

// Reductions down the columns: each block of 256 rows has its own accumulators.
void run_row_blocks(const Caller& c, int threads) {
  const Launch& l = c.launch;
  const std::int64_t rows = count(l.rows), blocks = (rows + column_block - 1) / column_block;
  const bool along_rows = std::any_of(l.kernel.reductions.begin(), l.kernel.reductions.end(),
                                      [](const KernelReduction& r) { return !r.column; });
  if (blocks == 1) {
    if (threads == 1 || along_rows || l.kernel.small_cols || l.cols < 128) return c.rows(0, rows, 0, l.cols);
    const std::int64_t piece = std::max<std::int64_t>(64, (l.cols / (2 * threads) + 15) / 16 * 16),
                       pieces = (l.cols + piece - 1) / piece;
    return parallel_for(pieces, threads,
                        [&](std::int64_t p) { c.rows(0, rows, p * piece, std::min(piece, l.cols - p * piece)); });
  }
  std::vector<Storage> partials(l.kernel.reductions.size());
  for (std::size_t i = 0; i < partials.size(); ++i)
    if (l.kernel.reductions[i].column)
      partials[i] =
          Storage::allocate(static_cast<std::size_t>(blocks * l.cols) * size_of(l.kernel.reductions[i].dtype));
  parallel_for(blocks, threads, [&](std::int64_t b) {
    void* from[max_operands];
    std::copy_n(c.base, l.operands.size(), from);
    for (std::size_t i = 0; i < partials.size(); ++i)
      if (partials[i])
        from[l.kernel.reductions[i].operand] =
            partials[i].data() + b * l.cols * static_cast<std::int64_t>(size_of(l.kernel.reductions[i].dtype));
    c.rows(b * column_block, std::min(rows, (b + 1) * column_block), 0, l.cols, from);
  });
  for (std::size_t i = 0; i < partials.size(); ++i)
    if (partials[i])
      combine_blocks(l.kernel.reductions[i].op, l.kernel.reductions[i].dtype, partials[i].data(), blocks, l.cols,
                     c.base[l.kernel.reductions[i].operand]);
}

// Interleaved rows: pieces of them where there are few rows around them.
void run_lanes(const Caller& c, int threads) {
  const Launch& l = c.launch;
  const std::int64_t rows = count(l.rows), most = std::max<std::int64_t>(1, l.interleave / most_lanes),
                     parts = std::clamp<std::int64_t>(4 * threads / rows, 1, most);
  if (threads == 1) return c.rows(0, rows, 0, l.interleave);
  const auto at = [&](std::int64_t part) {
    return part == parts ? l.interleave : l.interleave * part / parts / least_interleaved * least_interleaved;
  };
  parallel_for(rows * parts, threads, [&](std::int64_t task) {
    const std::int64_t r = task / parts, part = task % parts;
    c.rows(r, r + 1, at(part), at(part + 1) - at(part));
  });
}

void run_one(const Launch& l, std::byte* const* slots) {
  const Caller c(l, slots);
  const int threads = l.work < parallel_work ? 1 : num_threads();
  switch (l.cut) {
    case Launch::by_rows: {
      const std::int64_t rows = count(l.rows);
      if (threads == 1) return c.rows(0, rows, 0, l.cols);
      const std::int64_t pieces = std::min<std::int64_t>(rows, threads * 4), piece = (rows + pieces - 1) / pieces;
      return parallel_for((rows + piece - 1) / piece, threads,
                          [&](std::int64_t p) { c.rows(p * piece, std::min(rows, (p + 1) * piece), 0, l.cols); });
    }
    case Launch::by_columns: {
      if (threads == 1) return c.rows(0, 1, 0, l.cols);
      return parallel_for((l.cols + column_piece - 1) / column_piece, threads, [&](std::int64_t p) {
        c.rows(0, 1, p * column_piece, std::min(column_piece, l.cols - p * column_piece));
      });
    }
    case Launch::by_lanes: return run_lanes(c, threads);
    case Launch::blocks: return run_blocks(c, threads);
    case Launch::row_blocks: return run_row_blocks(c, threads);
  }
}

}  // namespace

void call_kernel(const Kernel& kernel, KernelFunction function, const KernelCall& call) {
  if (function)
    function(&call);
  else
    interpret(kernel, call);
}

void run_launch_part(const Launch& launch, std::byte* const* slots, std::int64_t begin, std::int64_t end) {
  const Caller c(launch, slots);
  if (launch.cut == Launch::by_rows)
    c.rows(begin, end, 0, launch.cols);
  else
    c.rows(0, 1, begin, end - begin);
}

void run_launch(const LaunchStep& step, std::byte* const* slots) {
  if (step.segments.size() == 1) return run_one(step.segments[0], slots);
  // Segments are pointwise and independent: their pieces are one list of tasks.
  double work = 0;
  for (const Launch& l : step.segments) work += l.work;
  if (work < parallel_work || num_threads() == 1) {
    for (const Launch& l : step.segments) Caller(l, slots).rows(0, 1, 0, l.cols);
    return;
  }
  std::vector<std::pair<std::size_t, std::int64_t>> tasks;
  for (std::size_t s = 0; s < step.segments.size(); ++s)
    for (std::int64_t c = 0; c < step.segments[s].cols; c += column_piece) tasks.emplace_back(s, c);
  parallel_for(static_cast<std::int64_t>(tasks.size()), num_threads(), [&](std::int64_t t) {
    const auto [s, first] = tasks[static_cast<std::size_t>(t)];
    const Launch& l = step.segments[s];
    Caller(l, slots).rows(0, 1, first, std::min(column_piece, l.cols - first));
  });
}

}  // namespace weft
