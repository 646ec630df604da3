// copy_elements: from any layout to any other, on all threads where that pays.
#include <emmintrin.h>

#include <algorithm>
#include <cstring>

#include "convert.h"
#include "parallel.h"
#include "past_caches.h"
#include "tensor.h"
#include "threads.h"

namespace weft {
namespace {

constexpr std::int64_t least_per_thread = 128 << 10;  // bytes: a region costs 0.7 us
constexpr std::int64_t per_task = 32 << 10;           // elements

/// One axis of a copy; strides in bytes.
struct Axis {
  std::int64_t extent, from, to;
};

/// Extents of 1 left out; axes that both sides walk as one made one.
std::vector<Axis> merged_axes(const View& from, const View& to) {
  const auto from_size = static_cast<std::int64_t>(size_of(from.dtype)),
             to_size = static_cast<std::int64_t>(size_of(to.dtype));
  std::vector<Axis> axes;
  for (int k = 0; k < from.shape.size(); ++k) {
    const Axis a{from.shape[k], from.strides[k] * from_size, to.strides[k] * to_size};
    if (a.extent == 1) continue;
    if (!axes.empty() && axes.back().from == a.from * a.extent && axes.back().to == a.to * a.extent)
      axes.back() = {axes.back().extent * a.extent, a.from, a.to};
    else
      axes.push_back(a);
  }
  if (axes.empty()) axes.push_back({1, from_size, to_size});
  return axes;
}

/// Where element number `index`, in row-major order of these axes, lies on either side.
struct Place {
  std::int64_t from = 0, to = 0;
  Place(std::span<const Axis> axes, std::int64_t index) {
    for (std::size_t k = axes.size(); k-- > 0;) {
      from += index % axes[k].extent * axes[k].from;
      to += index % axes[k].extent * axes[k].to;
      index /= axes[k].extent;
    }
  }
};

std::int64_t count_of(std::span<const Axis> axes) {
  std::int64_t n = 1;
  for (const Axis& a : axes) n *= a.extent;
  return n;
}

int threads_for(std::int64_t bytes) {
  return static_cast<int>(std::clamp<std::int64_t>(bytes / least_per_thread, 1, num_threads()));
}

// ---- rows: as many bytes on both sides; of short ones a call for each would be the larger part

constexpr std::int64_t short_row = 64;  // bytes

/// n rows of at least the pieces' bytes and at most twice as many: two moves that may overlap.
template <class Piece, int pieces> void copy_rows(const std::byte* from, std::int64_t from_step, std::byte* to,
                                                  std::int64_t to_step, std::int64_t bytes, std::int64_t n) {
  constexpr std::int64_t half = pieces * static_cast<std::int64_t>(sizeof(Piece));
  for (; n > 0; --n, from += from_step, to += to_step) {
    Piece first[pieces], last[pieces];
    std::memcpy(first, from, half);
    std::memcpy(last, from + bytes - half, half);
    std::memcpy(to, first, half);
    std::memcpy(to + bytes - half, last, half);
  }
}

void copy_rows(const std::byte* from, std::int64_t from_step, std::byte* to, std::int64_t to_step, std::int64_t bytes,
               std::int64_t n) {
  if (bytes > short_row) {
    for (; n > 0; --n, from += from_step, to += to_step) std::memcpy(to, from, static_cast<std::size_t>(bytes));
    return;
  }
  const auto rows = bytes <= 2    ? copy_rows<std::uint8_t, 1>
                    : bytes <= 4  ? copy_rows<std::uint16_t, 1>
                    : bytes <= 8  ? copy_rows<std::uint32_t, 1>
                    : bytes <= 16 ? copy_rows<std::uint64_t, 1>
                    : bytes <= 32 ? copy_rows<std::uint64_t, 2>
                                  : copy_rows<std::uint64_t, 4>;
  rows(from, from_step, to, to_step, bytes, n);
}

// ---- a transpose: one side is contiguous along one axis, the other along another

/// Element for element of two registers, the lower or the upper halves.
template <int size> __m128i interleave(__m128i a, __m128i b, bool upper) {
  if constexpr (size == 1) return upper ? _mm_unpackhi_epi8(a, b) : _mm_unpacklo_epi8(a, b);
  if constexpr (size == 2) return upper ? _mm_unpackhi_epi16(a, b) : _mm_unpacklo_epi16(a, b);
  if constexpr (size == 4) return upper ? _mm_unpackhi_epi32(a, b) : _mm_unpacklo_epi32(a, b);
  return upper ? _mm_unpackhi_epi64(a, b) : _mm_unpacklo_epi64(a, b);
}

/// A square of 16 bytes by as many rows, turned: log2(rows) perfect shuffles.
template <int size, bool streamed>
void turn_square(const std::byte* from, std::int64_t from_row, std::byte* to, std::int64_t to_row) {
  constexpr int n = 16 / size;
  __m128i rows[n], next[n];
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) rows[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * from_row));
#pragma GCC unroll 4
  for (int stage = 1; stage < n; stage *= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < n / 2; ++i) {
      next[2 * i] = interleave<size>(rows[i], rows[i + n / 2], false);
      next[2 * i + 1] = interleave<size>(rows[i], rows[i + n / 2], true);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) rows[i] = next[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) {
    auto* const at = reinterpret_cast<__m128i*>(to + i * to_row);
    if constexpr (streamed)
      _mm_stream_si128(at, rows[i]);
    else
      _mm_storeu_si128(at, rows[i]);
  }
}

/// rows x columns elements: row i of `from` is contiguous, `from_row` bytes after the one before, and becomes column i.
template <int size, bool streamed> void turn_block(const std::byte* from, std::int64_t from_row, std::byte* to,
                                                   std::int64_t to_row, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t n = 16 / size, line = 64 / size;  // whole cache lines at a time
  const auto element = [&](std::int64_t i, std::int64_t k) {
    std::memcpy(to + k * to_row + i * size, from + i * from_row + k * size, size);
  };
  const std::int64_t whole_rows = rows / n * n, whole_columns = columns / n * n;
  for (std::int64_t i0 = 0; i0 < whole_rows; i0 += line)
    for (std::int64_t k0 = 0; k0 < whole_columns; k0 += line)
      for (std::int64_t k = k0; k < std::min(k0 + line, whole_columns); k += n)
        for (std::int64_t i = i0; i < std::min(i0 + line, whole_rows); i += n)
          turn_square<size, streamed>(from + i * from_row + k * size, from_row, to + k * to_row + i * size, to_row);
  for (std::int64_t i = whole_rows; i < rows; ++i)
    for (std::int64_t k = 0; k < columns; ++k) element(i, k);
  for (std::int64_t i = 0; i < whole_rows; ++i)
    for (std::int64_t k = whole_columns; k < columns; ++k) element(i, k);
}

void turn_block(std::size_t size, const std::byte* from, std::int64_t from_row, std::byte* to, std::int64_t to_row,
                std::int64_t rows, std::int64_t columns, bool streamed) {
  // An aligned target only: a stored line is then written in one go.
  streamed = streamed && (reinterpret_cast<std::uintptr_t>(to) | static_cast<std::uintptr_t>(to_row)) % 16 == 0;
  const auto call = [&]<int bytes>() {
    (streamed ? turn_block<bytes, true> : turn_block<bytes, false>)(from, from_row, to, to_row, rows, columns);
  };
  switch (size) {
    case 1: return call.operator()<1>();
    case 2: return call.operator()<2>();
    case 4: return call.operator()<4>();
    default: return call.operator()<8>();
  }
}

/// The last axis is contiguous on the target's side, `other` on the source's.
void transpose(std::vector<Axis> axes, std::size_t other, std::size_t size, const std::byte* from, std::byte* to) {
  const Axis down = axes.back(), along = axes[other];
  axes.pop_back();
  axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(other));
  // Pieces of whole cache lines on both sides: long along the source's rows, which the CPU then reads ahead.
  const auto bytes = static_cast<std::int64_t>(size);
  const std::int64_t line = 64 / bytes, high = 8 * line, wide = 16 * line, rows = (down.extent + high - 1) / high,
                     columns = (along.extent + wide - 1) / wide, outer = count_of(axes),
                     moved = outer * down.extent * along.extent * bytes;
  const bool streamed = moved >= past_caches;
  parallel_for(outer * rows * columns, threads_for(moved), [&](std::int64_t task) {
    const Place p(axes, task / (rows * columns));
    const std::int64_t top = task / columns % rows * high, left = task % columns * wide;
    turn_block(size, from + p.from + top * down.from + left * bytes, down.from,
               to + p.to + top * bytes + left * along.to, along.to, std::min(high, down.extent - top),
               std::min(wide, along.extent - left), streamed);
    if (streamed) _mm_sfence();  // before another thread is told that it is done
  });
}

}  // namespace

void copy_elements(const View& from, const View& to) {
  const std::int64_t elements = count(from.shape);
  if (elements == 0) return;
  const auto* source = static_cast<const std::byte*>(from.data);
  auto* target = static_cast<std::byte*>(to.data);
  const auto from_size = static_cast<std::int64_t>(size_of(from.dtype)),
             to_size = static_cast<std::int64_t>(size_of(to.dtype));
  if (elements < per_task && from.dtype == to.dtype && from.contiguous() && to.contiguous()) {
    std::memcpy(target, source, static_cast<std::size_t>(elements * to_size));
    return;
  }
  std::vector<Axis> axes = merged_axes(from, to);
  if (from.dtype == to.dtype && axes.back().to == to_size && axes.back().from != from_size)
    for (std::size_t k = 0; k + 1 < axes.size(); ++k)
      if (axes[k].from == from_size) return transpose(axes, k, size_of(to.dtype), source, target);

  const Axis inner = axes.back();
  axes.pop_back();
  // Tasks of several rows, or of a piece of one.
  const std::int64_t rows = count_of(axes), pieces = (inner.extent + per_task - 1) / per_task,
                     per_row_task = std::max<std::int64_t>(1, per_task / inner.extent),
                     tasks = pieces > 1 ? rows * pieces : (rows + per_row_task - 1) / per_row_task;
  const bool whole_rows =
      from.dtype == to.dtype && inner.from == from_size && inner.to == to_size && !axes.empty() && pieces == 1;
  parallel_for(tasks, threads_for(elements * std::max(from_size, to_size)), [&](std::int64_t task) {
    const std::int64_t first = pieces > 1 ? task / pieces : task * per_row_task,
                       last = pieces > 1 ? first + 1 : std::min(rows, first + per_row_task),
                       begin = pieces > 1 ? task % pieces * per_task : 0,
                       end = std::min(inner.extent, begin + per_task);
    if (whole_rows)
      for (std::int64_t row = first; row < last;) {
        const Place p(axes, row);
        const std::int64_t n = std::min(last - row, axes.back().extent - row % axes.back().extent);
        copy_rows(source + p.from, axes.back().from, target + p.to, axes.back().to, inner.extent * to_size, n);
        row += n;
      }
    for (std::int64_t row = first; row < last && !whole_rows; ++row) {
      const Place p(axes, row);
      detail::convert_elements(from.dtype, source + p.from + begin * inner.from, inner.from / from_size, to.dtype,
                               target + p.to + begin * inner.to, inner.to / to_size, end - begin);
    }
  });
}

const std::byte* detail::in_order(const View& view, Storage& copy) {
  if (view.contiguous()) return view.as<std::byte>();
  copy = Storage::allocate(static_cast<std::size_t>(count(view.shape)) * size_of(view.dtype));
  copy_elements(view, {view.dtype, view.shape, contiguous_strides(view.shape), copy.data()});
  return copy.data();
}

}  // namespace weft
