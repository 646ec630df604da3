// Where the largest and the smallest elements are.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "../tensor/convert.h"
#include "../tensor/parallel.h"
#include "apply.h"
#include "composition.h"
#include "defs/reduce.h"
#include "indexing.h"
#include "kernels/better.h"
#include "kernels/reduce.h"
#include "manipulate.h"
#include "recorder.h"
#include "reduce.h"

namespace weft {
namespace {

// The first of the best of n contiguous elements. The vectors of the reduction find what that is and in which block.
template <bool largest, class T> std::int64_t best_of_row(const T* x, std::int64_t n) {
  constexpr bool widened = std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>;
  using Compute = std::conditional_t<widened, float, std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>>;
  constexpr std::int64_t block = 1024;
  Compute best{}, found;
  std::int64_t first = -1;
  Compute wide[widened ? block : 1];
  const auto compute = [&](std::int64_t b) {
    if constexpr (!widened) return reinterpret_cast<const Compute*>(x + b);
    detail::convert_elements(dtype_of<T>, x + b, 1, f32, wide, 1, std::min(block, n - b));
    return static_cast<const Compute*>(wide);
  };
  for (std::int64_t b = 0; b < n; b += block) {
    reduce_block(largest ? Reduction::max : Reduction::min, dtype_of<Compute>, compute(b), &found,
                 std::min(block, n - b));
    if (first < 0 || is_better<largest>(found, best)) best = found, first = b;
  }
  const Compute* const p = compute(first);
  std::int64_t r = 0;
  while (best == best ? p[r] != best : p[r] == p[r]) ++r;
  return first + r;
}

template <bool largest> void run_arg_reduce(const Attrs& attrs, Views in, Views out) {
  const int axis = attrs.as<ArgReduceAttrs>().axis;
  const ReduceGeometry g(in[0].shape, {axis, axis + 1});
  auto* result = out[0].as<std::int64_t>();
  if (count(out[0].shape) == 0) return;
  Storage copy;
  const std::byte* const data = detail::in_order(in[0], copy);
  constexpr std::int64_t per_task = 1 << 14, short_row = 32;
  visit_dtype(in[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* const x = reinterpret_cast<const T*>(data);
    if (g.inner == 1 && g.n > short_row) {
      // Pieces of rows, then of each row the first of the best.
      constexpr std::int64_t piece = 1 << 16;
      const std::int64_t pieces = (g.n + piece - 1) / piece, units = g.outer * pieces,
                         part = std::max<std::int64_t>(1, per_task / g.n);
      std::vector<std::int64_t> found(pieces > 1 ? static_cast<std::size_t>(units) : 0);
      std::int64_t* const index = pieces > 1 ? found.data() : result;
      parallel_for((units + part - 1) / part, num_threads(), [&](std::int64_t task) {
        for (std::int64_t u = task * part; u < std::min(units, (task + 1) * part); ++u) {
          const std::int64_t begin = u % pieces * piece;
          index[u] = begin + best_of_row<largest>(x + u / pieces * g.n + begin, std::min(piece, g.n - begin));
        }
      });
      for (std::int64_t o = 0; o < g.outer && pieces > 1; ++o) {
        const T* const row = x + o * g.n;
        result[o] = found[static_cast<std::size_t>(o * pieces)];
        for (std::int64_t k = 1; k < pieces; ++k)
          if (const std::int64_t i = found[static_cast<std::size_t>(o * pieces + k)];
              is_better<largest>(row[i], row[result[o]]))
            result[o] = i;
      }
      return;
    }
    // Columns side by side, so that rows are read as they lie.
    const std::int64_t panel = std::clamp<std::int64_t>(per_task / g.n, 16, 512),
                       panels = (g.inner + panel - 1) / panel, units = g.outer * panels,
                       part = std::max<std::int64_t>(1, per_task / (g.n * std::min(panel, g.inner)));
    parallel_for((units + part - 1) / part, num_threads(), [&](std::int64_t task) {
      for (std::int64_t u = task * part; u < std::min(units, (task + 1) * part); ++u) {
        const std::int64_t c = u % panels * panel, width = std::min(panel, g.inner - c);
        const T* row = x + u / panels * g.n * g.inner + c;
        std::int64_t* const index = result + u / panels * g.inner + c;
        T best[512];
        for (std::int64_t k = 0; k < width; ++k) best[k] = row[k], index[k] = 0;
        for (std::int64_t r = 1; r < g.n; ++r) {
          row += g.inner;
          for (std::int64_t k = 0; k < width; ++k)
            if (is_better<largest>(row[k], best[k])) best[k] = row[k], index[k] = r;
        }
      }
    });
  });
}

void infer_arg_reduce(const Attrs& attrs, Types in, std::span<Type> out) {
  const int axis = normal_axis(attrs.as<ArgReduceAttrs>().axis, in[0]->shape.size());
  if (in[0]->shape[axis] == 0 && count(in[0]->shape) == 0)
    throw ArgumentError(fmt::format("of no elements: {} along axis {}", in[0]->shape.text(), axis));
  Shape shape = in[0]->shape;
  shape.erase(axis);
  out[0] = {i64, shape};
}

ValuesIndices with_indices(const char* name, Tensor (*index_of)(const Arg&, Axis, Flag), const Arg& x,
                           std::int64_t axis, bool keepdims) {
  return detail::composed(name, {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    if (t.dtype() == DType::boolean) throw DTypeError("no meaning for bool", "cast it to a number type");  // as of max
    const Tensor i = index_of(t, axis, true), v = take_along_axis(t, i, axis);
    return keepdims ? ValuesIndices{v, i} : ValuesIndices{squeeze(v, Ints{axis}), squeeze(i, Ints{axis})};
  });
}

Tensor arg_reduce(const Op& op, const Arg& x, std::int64_t axis, bool keepdims) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  const int at = detail::axis_of(op.name.data(), {"in0", x}, axis);
  const Tensor r = apply(op, ArgReduceAttrs{at}, std::span(&t, 1));
  return keepdims ? expand(r, at) : r;
}

}  // namespace

void ArgMax::infer(const Attrs& a, Types in, std::span<Type> out) { infer_arg_reduce(a, in, out); }
void ArgMin::infer(const Attrs& a, Types in, std::span<Type> out) { infer_arg_reduce(a, in, out); }
void ArgMax::run(const Attrs& a, Views in, Views out) { run_arg_reduce<true>(a, in, out); }
void ArgMin::run(const Attrs& a, Views in, Views out) { run_arg_reduce<false>(a, in, out); }

Tensor argmax(const Arg& x, Axis axis, Flag keepdims) { return arg_reduce(op_of<ArgMax>(), x, axis, keepdims); }
Tensor argmin(const Arg& x, Axis axis, Flag keepdims) { return arg_reduce(op_of<ArgMin>(), x, axis, keepdims); }

Tensor argmax(const Arg& x) {
  return detail::composed("argmax", {{"in0", x}}, [&] { return argmax(reshape(x, {-1}), 0); });
}
Tensor argmin(const Arg& x) {
  return detail::composed("argmin", {{"in0", x}}, [&] { return argmin(reshape(x, {-1}), 0); });
}

ValuesIndices max_with_indices(const Arg& x, Axis axis, Flag keepdims) {
  return with_indices("max_with_indices", argmax, x, axis, keepdims);
}
ValuesIndices min_with_indices(const Arg& x, Axis axis, Flag keepdims) {
  return with_indices("min_with_indices", argmin, x, axis, keepdims);
}

}  // namespace weft
