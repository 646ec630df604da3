#include "cumulative.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "../../tensor/parallel.h"
#include "better.h"

namespace weft {
namespace {

constexpr std::int64_t block = 1024, columns = 16;

// The type that sums of T are held in.
template <class T> using Wide = std::conditional_t<std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>, float, T>;

template <class A> A plus(A a, A b) {
  if constexpr (std::is_integral_v<A>)  // wraps
    return static_cast<A>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  else
    return a + b;
}
template <class A> A times(A a, A b) {
  if constexpr (std::is_integral_v<A>)
    return static_cast<A>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  else
    return a * b;
}

// combine(identity, x) is x to the bit: of sums of floats that is -0.
struct Add {
  template <class A> static constexpr A identity = std::is_integral_v<A> ? A(0) : A(-0.0);
  template <class A> static A combine(A a, A b) { return plus(a, b); }
};
struct Multiply {
  template <class A> static constexpr A identity = A(1);
  template <class A> static A combine(A a, A b) { return times(a, b); }
};

int threads_for(const CumulativeShape& s) { return s.outer * s.n * s.inner < 1 << 15 ? 1 : num_threads(); }

// ---- along the last axis: four blocks at once, to hide the latency of the additions ----

// Writes the block's results, each after `before`, unless y is null; returns what the block comes to. `step`: 1 or -1.
template <class Op, int step, class T, class A> A scan_block(const T* x, T* y, A before, std::int64_t n) {
  A sum = Op::template identity<A>;
  for (std::int64_t r = 0; r < n; ++r) {
    sum = Op::combine(sum, static_cast<A>(x[r * step]));
    if (y) y[r * step] = static_cast<T>(Op::combine(before, sum));
  }
  return sum;
}

template <class Op, int step, bool write, class T, class A>
void scan_four(const T* const (&x)[4], T* const (&y)[4], const A (&before)[4], A (&sums)[4], std::int64_t n) {
  A a = Op::template identity<A>, b = a, c = a, d = a;
  for (std::int64_t r = 0; r < n; ++r) {
    a = Op::combine(a, static_cast<A>(x[0][r * step]));
    b = Op::combine(b, static_cast<A>(x[1][r * step]));
    c = Op::combine(c, static_cast<A>(x[2][r * step]));
    d = Op::combine(d, static_cast<A>(x[3][r * step]));
    if constexpr (write) {
      y[0][r * step] = static_cast<T>(Op::combine(before[0], a));
      y[1][r * step] = static_cast<T>(Op::combine(before[1], b));
      y[2][r * step] = static_cast<T>(Op::combine(before[2], c));
      y[3][r * step] = static_cast<T>(Op::combine(before[3], d));
    }
  }
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

template <class Op, int step, class T> void scan_rows(const CumulativeShape& s, const T* x, T* y) {
  using A = Wide<T>;
  const std::int64_t blocks = (s.n + block - 1) / block, units = s.outer * blocks, group = s.n < block ? 32 : 4;
  const Storage memory = Storage::allocate(static_cast<std::size_t>(units) * sizeof(A));
  A* const sums = reinterpret_cast<A*>(memory.data());  // of each unit: what it comes to, then what came before it
  const auto offset = [&](std::int64_t u) {
    const std::int64_t first = u % blocks * block;
    return u / blocks * s.n + (step > 0 ? first : s.n - 1 - first);
  };
  const auto length = [&](std::int64_t u) { return std::min(block, s.n - u % blocks * block); };
  const auto pass = [&]<bool write>() {
    parallel_for((units + group - 1) / group, threads_for(s), [&](std::int64_t task) {
      const std::int64_t end = std::min(units, (task + 1) * group);
      for (std::int64_t u = task * group; u < end;) {
        const std::int64_t n = length(u);
        if (u + 4 <= end && length(u + 1) == n && length(u + 2) == n && length(u + 3) == n) {
          const T* const from[4] = {x + offset(u), x + offset(u + 1), x + offset(u + 2), x + offset(u + 3)};
          T* const to[4] = {y + offset(u), y + offset(u + 1), y + offset(u + 2), y + offset(u + 3)};
          const A before[4] = {sums[u], sums[u + 1], sums[u + 2], sums[u + 3]};
          A result[4];
          scan_four<Op, step, write>(from, to, before, result, n);
          if (!write) std::copy(result, result + 4, sums + u);
          u += 4;
        } else {
          const A sum = scan_block<Op, step>(x + offset(u), write ? y + offset(u) : nullptr, sums[u], n);
          if (!write) sums[u] = sum;
          ++u;
        }
      }
    });
  };
  if (blocks > 1) pass.template operator()<false>();
  for (std::int64_t o = 0; o < s.outer; ++o) {
    A before = Op::template identity<A>;
    for (A* p = sums + o * blocks; p != sums + (o + 1) * blocks; ++p) {
      const A next = blocks > 1 ? Op::combine(before, *p) : before;
      *p = before;
      before = next;
    }
  }
  pass.template operator()<true>();
}

// ---- along another axis: panels of columns, row by row ----

// Calls f(position of the panel's first element, its width as a constant) for each panel of columns.
template <class F> void each_panel(const CumulativeShape& s, F f) {
  const std::int64_t panels = (s.inner + columns - 1) / columns;
  parallel_for(s.outer * panels, threads_for(s), [&](std::int64_t task) {
    const std::int64_t c = task % panels * columns, first = task / panels * s.n * s.inner + c;
    const std::int64_t start = s.reverse ? first + (s.n - 1) * s.inner : first;
    std::int64_t at = 0;
    const std::int64_t end = std::min(columns, s.inner - c);
    const auto take = [&](auto width) {
      for (; at + width <= end; at += width) f(start + at, width);
    };
    take(std::integral_constant<std::int64_t, columns>{});
    take(std::integral_constant<std::int64_t, columns / 2>{});
    take(std::integral_constant<std::int64_t, columns / 4>{});
    take(std::integral_constant<std::int64_t, 1>{});
  });
}

template <class Op, class T> void scan_columns(const CumulativeShape& s, const T* x, T* y) {
  using A = Wide<T>;
  const std::int64_t step = s.reverse ? -s.inner : s.inner;
  each_panel(s, [&](std::int64_t start, auto width) {
    A before[width], sum[width], value[width];
    for (std::int64_t k = 0; k < width; ++k) before[k] = sum[k] = Op::template identity<A>;
    for (std::int64_t r = 0; r < s.n; ++r) {
      const std::int64_t at = start + r * step;
      if (r > 0 && r % block == 0)
        for (std::int64_t k = 0; k < width; ++k) {
          before[k] = Op::combine(before[k], sum[k]);
          sum[k] = Op::template identity<A>;
        }
      for (std::int64_t k = 0; k < width; ++k) value[k] = static_cast<A>(x[at + k]);
      for (std::int64_t k = 0; k < width; ++k) sum[k] = Op::combine(sum[k], value[k]);
      for (std::int64_t k = 0; k < width; ++k) value[k] = Op::combine(before[k], sum[k]);
      for (std::int64_t k = 0; k < width; ++k) y[at + k] = static_cast<T>(value[k]);
    }
  });
}

template <class Op> void run_scan(DType dtype, const CumulativeShape& s, const void* from, void* to) {
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, bool>) {  // refused at the door
      const T* const x = static_cast<const T*>(from);
      T* const y = static_cast<T*>(to);
      if (s.inner > 1)
        scan_columns<Op>(s, x, y);
      else if (s.reverse)
        scan_rows<Op, -1>(s, x, y);
      else
        scan_rows<Op, 1>(s, x, y);
    }
  });
}

template <bool largest> void run_cumarg(DType dtype, const CumulativeShape& s, const void* from, std::int64_t* y) {
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* const x = static_cast<const T*>(from);
    const std::int64_t step = s.reverse ? -s.inner : s.inner;
    each_panel(s, [&](std::int64_t start, auto width) {
      T best[width];
      std::int64_t index[width];
      for (std::int64_t k = 0; k < width; ++k) best[k] = x[start + k], index[k] = s.reverse ? s.n - 1 : 0;
      for (std::int64_t r = 0; r < s.n; ++r) {
        const std::int64_t at = start + r * step, row = s.reverse ? s.n - 1 - r : r;
        for (std::int64_t k = 0; k < width; ++k) {
          const T v = x[at + k];
          const bool taken = is_better<largest>(v, best[k]);
          if (width == 1 && !taken) continue;  // a branch, which is guessed and not waited for
          best[k] = taken ? v : best[k];
          index[k] = taken ? row : index[k];
        }
        std::copy(index, index + width, y + at);
      }
    });
  });
}

}  // namespace

void run_cumsum(DType dtype, const CumulativeShape& s, const void* x, void* y) { run_scan<Add>(dtype, s, x, y); }
void run_cumprod(DType dtype, const CumulativeShape& s, const void* x, void* y) { run_scan<Multiply>(dtype, s, x, y); }

void run_recurrence(DType dtype, const CumulativeShape& s, const void* a, const void* b, void* y) {
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    if constexpr (!std::is_same_v<T, bool>) {
      const T *const coefficient = static_cast<const T*>(a), *const added = static_cast<const T*>(b);
      T* const to = static_cast<T*>(y);
      const std::int64_t step = s.reverse ? -s.inner : s.inner;
      each_panel(s, [&](std::int64_t start, auto width) {
        A state[width], by[width], value[width];
        for (std::int64_t k = 0; k < width; ++k) state[k] = A(0);
        for (std::int64_t r = 0; r < s.n; ++r) {
          const std::int64_t at = start + r * step;
          for (std::int64_t k = 0; k < width; ++k) by[k] = static_cast<A>(coefficient[at + k]);
          for (std::int64_t k = 0; k < width; ++k) value[k] = static_cast<A>(added[at + k]);
          for (std::int64_t k = 0; k < width; ++k) state[k] = plus(times(by[k], state[k]), value[k]);
          for (std::int64_t k = 0; k < width; ++k) to[at + k] = static_cast<T>(state[k]);
        }
      });
    }
  });
}

void run_cumargmax(DType dtype, const CumulativeShape& s, const void* x, std::int64_t* y) {
  run_cumarg<true>(dtype, s, x, y);
}
void run_cumargmin(DType dtype, const CumulativeShape& s, const void* x, std::int64_t* y) {
  run_cumarg<false>(dtype, s, x, y);
}

}  // namespace weft
