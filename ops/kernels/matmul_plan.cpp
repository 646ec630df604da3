#include "matmul_plan.h"

#include <xmmintrin.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "../../tensor/convert.h"
#include "../../tensor/isa.h"
#include "../../tensor/parallel.h"
#include "../../tensor/storage.h"
#include "matmul.h"

namespace weft {
namespace {

using kernels::Matmul;

// Below this many multiply-adds a thread costs more than it saves: a region is 0.7 us, a core does 120 a nanosecond.
constexpr std::int64_t least_per_thread = 250'000;

/// The calling thread's packing buffer: kept, because it is bounded by the block sizes (a few MB).
void* scratch(std::size_t bytes) {
  thread_local Storage buffer;
  if (bytes > buffer.bytes()) buffer = Storage::allocate(bytes);
  return buffer.data();
}

int threads_for(std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k) {
  const double work = static_cast<double>(m * n) * static_cast<double>(k) * static_cast<double>(batch);
  if (work < 2 * least_per_thread) return 1;
  return static_cast<int>(std::min(work / least_per_thread, static_cast<double>(num_threads())));
}

/// Where part i of n begins, of so many equal ones, in whole units.
std::int64_t share(std::int64_t n, std::int64_t i, std::int64_t of, std::int64_t unit) {
  return std::min(n, (n + unit - 1) / unit * i / of * unit);
}

/// While it lives, this thread's f32 arithmetic takes subnormals for zeros and gives none.
class NoSubnormals {
 public:
  NoSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~NoSubnormals() { _mm_setcsr(before_); }
  NoSubnormals(const NoSubnormals&) = delete;

 private:
  unsigned before_;
};

/// The types that have a kernel: one call, or tasks over the batch and over pieces of each C.
void run(const Matmul& whole, DType t, bool subnormals = true) {
  const kernels::MatmulFn kernel = kernels::matmul_kernel(t, isa());
  const auto part = [&](const Matmul& p) {
    std::optional<NoSubnormals> none;
    if (!subnormals) none.emplace();
    Matmul x = p;
    x.scratch = scratch(static_cast<std::size_t>(kernels::matmul_scratch_bytes(t, x.m, x.n, x.k, x.epilogue)));
    kernel(x);
  };
  const int threads = threads_for(whole.batch, whole.m, whole.n, whole.k);
  if (threads == 1) return part(whole);

  const std::int64_t chunks = std::min<std::int64_t>(whole.batch, 4 * threads);
  // An epilogue's rows stay whole: else a core's prefetchers take lines at their ends that another one is to write.
  const detail::MatmulCut cut = whole.epilogue
                                    ? detail::MatmulCut{threads, 1}
                                    : detail::matmul_cut(whole.m, whole.n, whole.batch >= threads ? 1 : threads);
  const std::int64_t pieces = cut.rows * cut.columns, bytes = static_cast<std::int64_t>(size_of(t));
  parallel_for(chunks * pieces, threads, [&](std::int64_t task) {
    const std::int64_t chunk = task / pieces, row = task % pieces / cut.columns, column = task % cut.columns;
    Matmul x = whole;
    const std::int64_t first = whole.batch * chunk / chunks, top = share(whole.m, row, cut.rows, 2),
                       left = share(whole.n, column, cut.columns, 16);
    x.batch = whole.batch * (chunk + 1) / chunks - first;
    x.m = share(whole.m, row + 1, cut.rows, 2) - top;
    x.n = share(whole.n, column + 1, cut.columns, 16) - left;
    if (x.m == 0 || x.n == 0) return;
    x.a = static_cast<const char*>(whole.a) + (first * whole.a_batch + top * whole.a_row) * bytes;
    x.b = static_cast<const char*>(whole.b) + (first * whole.b_batch + left * whole.b_col) * bytes;
    x.row = top, x.column = left;
    if (!x.epilogue) x.c = static_cast<char*>(whole.c) + (first * whole.c_batch + top * whole.c_row + left) * bytes;
    part(x);
  });
}

/// A 16-bit operand as dense f32 matrices, `batch` of them. Of the `in_pairs` axis, 0 or 1, the two of each pair change
/// places, the last of an odd number with a 0.
template <class Half> Storage widen(const void* from, std::int64_t batch, std::int64_t step, std::int64_t rows,
                                    std::int64_t columns, std::int64_t row, std::int64_t col, int in_pairs) {
  const std::int64_t high = rows + (in_pairs == 0 ? rows % 2 : 0), wide = columns + (in_pairs == 1 ? columns % 2 : 0);
  Storage to = Storage::allocate(static_cast<std::size_t>(batch * high * wide) * 4);
  auto* t = reinterpret_cast<float*>(to.data());
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t i = 0; i < high; ++i) {
      const Half* f = static_cast<const Half*>(from) + b * step + i * row;
      if (i == rows)
        t = std::fill_n(t, wide, 0.f);
      else
        detail::convert_elements(dtype_of<Half>, f, col, DType::f32, t, 1, columns), t += columns;
      if (i < rows && wide > columns) *t++ = 0;
    }
  }
  const std::int64_t run = in_pairs == 0 ? wide : 1;
  if (in_pairs >= 0)
    for (auto* at = reinterpret_cast<float*>(to.data()); at != t; at += 2 * run)
      std::swap_ranges(at, at + run, at + run);
  return to;
}

/// 16 bits by way of f32. bf16 in the order, and without subnormals, as the CPU's own instruction has it. Rows of c are
/// `c_row` elements apart.
template <class Half>
void run_widened(const MatmulShape& s, const Half* a, const Half* b, Half* c, std::int64_t c_row) {
  constexpr bool pairs = dtype_of<Half> == DType::bf16;
  // The operand's own order is kept where it is dense: a transpose is widened as it lies and stays a transpose.
  const bool ta = s.a_row == 1 && s.a_col != 1, tb = s.b_row == 1 && s.b_col != 1;
  const std::int64_t as = s.a_batch ? s.batch : 1, bs = s.b_batch ? s.batch : 1, rows = s.batch * s.m,
                     k = pairs ? (s.k + 1) / 2 * 2 : s.k;
  const Storage wide_a = ta ? widen<Half>(a, as, s.a_batch, s.k, s.m, s.a_col, 1, pairs ? 0 : -1)
                            : widen<Half>(a, as, s.a_batch, s.m, s.k, s.a_row, s.a_col, pairs ? 1 : -1);
  const Storage wide_b = tb ? widen<Half>(b, bs, s.b_batch, s.n, s.k, s.b_col, 1, pairs ? 1 : -1)
                            : widen<Half>(b, bs, s.b_batch, s.k, s.n, s.b_row, s.b_col, pairs ? 0 : -1);
  const Storage wide_c = Storage::allocate(static_cast<std::size_t>(rows * s.n) * 4);
  run(Matmul{s.batch, s.m, s.n, k, s.a_batch ? s.m * k : 0, ta ? 1 : k, ta ? s.m : 1, s.b_batch ? k * s.n : 0,
             tb ? 1 : s.n, tb ? k : 1, s.m * s.n, s.n, wide_a.data(), wide_b.data(), wide_c.data(), nullptr},
      DType::f32, !pairs);
  const auto* const from = reinterpret_cast<const float*>(wide_c.data());
  for (std::int64_t i = 0; i < rows; ++i)
    detail::convert_elements(DType::f32, from + i * s.n, 1, dtype_of<Half>, c + i * c_row, 1, s.n);
}

/// Where one operand is much larger than the other it is widened in pieces that stay in L2, for each of which the other
/// is widened again: rows of a or columns of b.
template <class Half> void run_half(const MatmulShape& s, const void* a_, const void* b_, void* c_) {
  constexpr std::int64_t few = 16, piece = 64 * 1024;  // rows or columns of the smaller one; elements
  const auto *const a = static_cast<const Half*>(a_), *const b = static_cast<const Half*>(b_);
  auto* const c = static_cast<Half*>(c_);
  const std::int64_t extent = std::max(s.m, s.n),
                     step = std::max<std::int64_t>(few, piece / std::max<std::int64_t>(1, s.k) / few * few);
  if (s.batch > 1 || std::min(s.m, s.n) > few || extent <= 2 * step) return run_widened(s, a, b, c, s.n);
  parallel_for((extent + step - 1) / step, num_threads(), [&](std::int64_t task) {
    const std::int64_t first = task * step, n = std::min(step, extent - first);
    MatmulShape part = s;
    if (s.m > s.n) {
      part.m = n;
      run_widened(part, a + first * s.a_row, b, c + first * s.n, s.n);
    } else {
      part.n = n;
      run_widened(part, a, b + first * s.b_col, c + first, s.n);
    }
  });
}

}  // namespace

detail::MatmulCut detail::matmul_cut(std::int64_t m, std::int64_t n, std::int64_t pieces) {
  // Each piece reads its rows of A and its columns of B: the cut that reads least in all, in pieces of equal size.
  MatmulCut best{1, pieces};
  double least = 1e300;
  for (std::int64_t rows = 1; rows <= pieces; ++rows) {
    if (pieces % rows) continue;
    const std::int64_t columns = pieces / rows, high = (m + rows - 1) / rows, wide = (n + columns - 1) / columns;
    // what the largest piece computes in whole tiles, and a little for what it reads
    const double cost = static_cast<double>((high + 1) / 2 * 2) * static_cast<double>((wide + 15) / 16 * 16) +
                        2.0 * static_cast<double>(high + wide);
    if (cost < least) {
      least = cost;
      best = {rows, columns};
    }
  }
  return best;
}

void matmul(const MatmulShape& s, const void* a, const void* b, void* c) {
  if (s.batch == 0 || s.m == 0 || s.n == 0) return;
  if (s.dtype == DType::boolean) throw std::invalid_argument("matmul: bool has no product; cast to a number first");
  if (s.dtype == DType::f16) return run_half<float16>(s, a, b, c);
  if (s.dtype == DType::bf16 && !kernels::matmul_kernel(s.dtype, isa())) return run_half<bfloat16>(s, a, b, c);
  run(Matmul{s.batch, s.m, s.n, s.k, s.a_batch, s.a_row, s.a_col, s.b_batch, s.b_row, s.b_col, s.m * s.n, s.n, a, b, c,
             nullptr},
      s.dtype);
}

const char* epilogue_obstacle(const MatmulShape& s) {
  if (!is_floating(s.dtype) || !kernels::matmul_kernel(s.dtype, isa())) return "its dtype has no kernel that does that";
  if (s.batch != 1) return "it is a batch of products";
  if (s.m < 128 || s.n < 64 || s.k < 8) return "it has few rows or columns";
  if (s.k * static_cast<std::int64_t>(size_of(s.dtype)) > kernels::epilogue_depth)
    return "its sums are long, beside which a pass over them costs little";
  return nullptr;
}

void matmul(const MatmulShape& s, const void* a, const void* b, const MatmulEpilogue& epilogue) {
  Matmul x{1, s.m, s.n, s.k, 0, s.a_row, s.a_col, 0, s.b_row, s.b_col, 0, s.n, a, b, nullptr, nullptr};
  x.epilogue = &epilogue;
  run(x, s.dtype);
}

}  // namespace weft
