#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "../tensor/parallel.h"
#include "apply.h"
#include "defs/reduce.h"
#include "defs/resize.h"

namespace weft {
namespace {

/// Of each place along the axis: the elements around it, and the second one's weight.
template <class T> struct Places {
  std::vector<std::int64_t> low, high;
  std::vector<T> weight;

  explicit Places(const ResizeAttrs& a) {
    const auto n = static_cast<double>(a.from), results = static_cast<double>(a.to);
    for (std::int64_t k = 0; k < a.to; ++k) {
      const auto i = static_cast<double>(k);
      const double place = a.align_corners ? i * (n - 1) / std::max(1.0, results - 1) : (i + 0.5) * n / results - 0.5,
                   inside = std::min(std::max(place, 0.0), n - 1), first = std::floor(inside);
      low.push_back(static_cast<std::int64_t>(first));
      high.push_back(std::min(low.back() + 1, a.from - 1));
      weight.push_back(static_cast<T>(inside - first));
    }
  }
};

// In blocks of a constant length, for which the compiler finds the vectors.
constexpr std::int64_t block = 16;

/// to = a rest + b w
template <class T>
void blend(const T* __restrict a, const T* __restrict b, T rest, T w, T* __restrict to, std::int64_t n) {
  std::int64_t c = 0;
  for (; c + block <= n; c += block)
    for (std::int64_t k = 0; k < block; ++k) to[c + k] = a[c + k] * rest + b[c + k] * w;
  for (; c < n; ++c) to[c] = a[c] * rest + b[c] * w;
}
/// to += from w
template <class T> void add_scaled(const T* __restrict from, T w, T* __restrict to, std::int64_t n) {
  std::int64_t c = 0;
  for (; c + block <= n; c += block)
    for (std::int64_t k = 0; k < block; ++k) to[c + k] += from[c + k] * w;
  for (; c < n; ++c) to[c] += from[c] * w;
}

void infer_resized(const Attrs& attrs, const Type& in, bool back, Type& out) {
  const auto& a = attrs.as<ResizeAttrs>();
  const std::int64_t from = back ? a.to : a.from, to = back ? a.from : a.to;
  if (in.dtype != f32 && in.dtype != f64)
    throw DTypeError(fmt::format("no meaning for {}", name_of(in.dtype)), "cast it to f32 or f64");
  normal_axis(a.axis, in.shape.size());
  if (from < 1 || to < 1) throw ArgumentError(fmt::format("extents {} and {}", a.from, a.to));
  if (in.shape[a.axis] != from)
    throw ShapeError(fmt::format("{} has not {} elements along axis {}", in.shape.text(), from, a.axis));
  out = in;
  out.shape[a.axis] = to;
}

/// f(zero of the type, geometry, places, from, to), both sides in order.
template <class F> void run_resized(const Attrs& attrs, Views in, Views out, F f) {
  const auto& a = attrs.as<ResizeAttrs>();
  if (count(out[0].shape) == 0) return;
  Storage copy;
  const std::byte* const from = detail::in_order(in[0], copy);
  const ReduceGeometry g(in[0].shape, {a.axis, a.axis + 1});
  const auto run = [&]<class T>(T) { f(g, Places<T>(a), reinterpret_cast<const T*>(from), out[0].as<T>()); };
  in[0].dtype == f32 ? run(0.0F) : run(0.0);
}

}  // namespace

void ResizeLinear::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  infer_resized(attrs, *in[0], false, out[0]);
}

void ResizeLinear::run(const Attrs& attrs, Views in, Views out) {
  const std::int64_t results = attrs.as<ResizeAttrs>().to;
  run_resized(attrs, in, out, [&]<class T>(const ReduceGeometry& g, const Places<T>& places, const T* x, T* y) {
    const std::int64_t rows = g.outer * results, part = std::max<std::int64_t>(1, 16'384 / g.inner),
                       parts = (rows + part - 1) / part;
    parallel_for(parts, rows * g.inner < 1 << 15 ? 1 : num_threads(), [&](std::int64_t task) {
      const std::int64_t end = std::min(rows, (task + 1) * part);
      for (std::int64_t r = task * part; r < end;) {
        const std::int64_t o = r / results, first = r % results, n = std::min(results - first, end - r);
        const T* const from = x + o * g.n * g.inner;
        T* to = y + r * g.inner;
        for (std::int64_t k = first; k < first + n; ++k) {
          const auto i = static_cast<std::size_t>(k);
          const T w = places.weight[i];
          blend(from + places.low[i] * g.inner, from + places.high[i] * g.inner, 1 - w, w, to, g.inner);
          to += g.inner;
        }
        r += n;
      }
    });
  });
}

void ResizeLinear::vjp(Backward& b) { b.give(0, apply<SpreadLinear>({b.grad()}, b.attributes())); }

void SpreadLinear::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  infer_resized(attrs, *in[0], true, out[0]);
}

void SpreadLinear::run(const Attrs& attrs, Views in, Views out) {
  const std::int64_t extent = attrs.as<ResizeAttrs>().from;
  run_resized(attrs, in, out, [&]<class T>(const ReduceGeometry& g, const Places<T>& places, const T* y, T* x) {
    const std::int64_t panel = std::min<std::int64_t>(g.inner, 256), panels = (g.inner + panel - 1) / panel;
    parallel_for(g.outer * panels, g.outer * g.n * g.inner < 1 << 15 ? 1 : num_threads(), [&](std::int64_t task) {
      const std::int64_t begin = task % panels * panel, width = std::min(panel, g.inner - begin);
      const T* from = y + task / panels * g.n * g.inner + begin;
      T* const to = x + task / panels * extent * g.inner + begin;
      std::int64_t cleared = 0;  // rows; places only move on, and what is cleared just before is still in the cache
      const auto clear_to = [&](std::int64_t row) {
        for (; cleared < row; ++cleared) std::fill_n(to + cleared * g.inner, width, T(0));
      };
      for (std::int64_t k = 0; k < g.n; ++k, from += g.inner) {
        const auto i = static_cast<std::size_t>(k);
        const T w = places.weight[i];
        clear_to(places.high[i] + 1);
        add_scaled(from, 1 - w, to + places.low[i] * g.inner, width);
        add_scaled(from, w, to + places.high[i] * g.inner, width);
      }
      clear_to(extent);
    });
  });
}

void SpreadLinear::vjp(Backward& b) { b.give(0, apply<ResizeLinear>({b.grad()}, b.attributes())); }

void Resize::batch(Batching& b) {
  ResizeAttrs a = b.attrs<ResizeAttrs>();
  ++a.axis;
  b.apply(a);
}

}  // namespace weft
