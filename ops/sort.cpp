#include "sort.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../tensor/create.h"
#include "../tensor/parallel.h"
#include "apply.h"
#include "composition.h"
#include "defs/sort.h"
#include "indexing.h"
#include "kernels/sort.h"
#include "manipulate.h"
#include "math.h"
#include "mismatch.h"

namespace weft {
namespace {

using detail::composed;

// The first k along an axis in order: moved to the end and back.
Tensor order(const Tensor& t, std::int64_t axis, std::int64_t k, bool descending) {
  const int at = normal_axis(axis, t.rank());
  const bool last = at == t.rank() - 1;
  const Tensor i = apply<ArgSort>({last ? t : swap_axes(t, at, -1)}, ArgSortAttrs{0, k, descending});
  return last ? i : swap_axes(i, at, -1);
}

std::int64_t extent(const Tensor& t, std::int64_t axis) { return t.shape()[normal_axis(axis, t.rank())]; }

// Over the axes, for each q between the elements of ranks floor(position) and the next; NaN where there is one. Of
// several, the results one after the other along a new first axis.
Tensor between(const Tensor& t, std::span<const double> qs, const Axes& axes, bool keepdims, bool several) {
  if (!is_floating(t.dtype()))
    throw DTypeError(fmt::format("no meaning for {}", name_of(t.dtype())), "cast it to f32 or f64");
  for (const double q : qs)
    if (!(q >= 0 && q <= 1)) throw ArgumentError(fmt::format("q is {}, not in [0, 1]", q));
  const Ints over = axes.list ? normal_axes(*axes.list, t.rank()) : Ints{};
  Ints order, last;
  Shape stays, reduced, result;
  if (several) result.push_back(std::ssize(qs));
  for (int i = 0; i < t.rank(); ++i) {
    const bool kept = axes.list && !over.contains(i);
    (kept ? order : last).push_back(i);
    (kept ? stays : reduced).push_back(t.shape()[i]);
    if (kept || keepdims) result.push_back(kept ? t.shape()[i] : 1);
  }
  for (const std::int64_t i : last) order.push_back(i);
  const std::int64_t n = count(reduced);
  if (n == 0) throw ArgumentError(fmt::format("of no elements: {}", t.shape().text()));
  if (qs.empty()) return zeros(result, t.dtype());
  const Tensor x = reshape(transpose(cast(t, compute_type(t.dtype())), order), {count(stays), n});
  // All ranks from the first to the last that is asked for.
  const auto [least, most] = std::minmax_element(qs.begin(), qs.end());
  const auto position = [&](double q) { return q * static_cast<double>(n - 1); };
  const auto from = static_cast<std::int64_t>(std::floor(position(*least))),
             to = static_cast<std::int64_t>(std::ceil(position(*most)));
  const Tensor at = apply<ArgSort>({x}, ArgSortAttrs{from, to - from + 1, false}), picked = take_along_axis(x, at, -1),
               nans = any(isnan(x), -1, true);
  std::vector<Tensor> each;
  for (const double q : qs) {
    const double low = std::floor(position(q)), share = position(q) - low;
    const std::int64_t k = static_cast<std::int64_t>(low) - from;
    Tensor y = slice_axis(picked, -1, k, k + 1);
    if (share > 0) y = y * (1 - share) + slice_axis(picked, -1, k + 1, k + 2) * share;
    each.push_back(cast(where(nans, NAN, y), t.dtype()));
  }
  return reshape(each.size() == 1 ? each[0] : concat(each, 0), result);
}

}  // namespace

void ArgSort::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const auto& [from, k, descending] = attrs.as<ArgSortAttrs>();
  out[0] = {i64, in[0]->shape};
  std::int64_t& n = out[0].shape[normal_axis(-1, in[0]->shape.size())];
  if (from < 0 || k < 0 || from > n || k > n - from)
    throw ShapeError(fmt::format("ranks {} to {} of the {} elements of {}", from, k, n, in[0]->shape.text()));
  n = k;
}

void ArgSort::run(const Attrs& attrs, Views in, Views out) {
  const auto& [from, k, descending] = attrs.as<ArgSortAttrs>();
  const std::int64_t n = in[0].shape.back(), results = count(out[0].shape);
  if (results == 0) return;
  Storage copy;
  sort_rows(in[0].dtype, detail::in_order(in[0], copy), results / k, n, from, k, descending, out[0].as<std::int64_t>());
}

void SearchSorted::infer(const Attrs&, Types in, std::span<Type> out) {
  if (in[0]->dtype != in[1]->dtype) throw detail::dtypes_differ(in[0]->dtype, in[1]->dtype);
  Shape rows = in[0]->shape, values = in[1]->shape;
  if (rows.empty() || rows.size() != values.size())
    throw ShapeError(fmt::format("rows of {} for values of {}", rows.text(), values.text()));
  rows[rows.size() - 1] = values.back();
  if (rows != values) throw ShapeError(fmt::format("rows of {} for values of {}", in[0]->shape.text(), values.text()));
  out[0] = {i64, values};
}

void SearchSorted::run(const Attrs& attrs, Views in, Views out) {
  const bool right = attrs.as<SearchSortedAttrs>().right;
  const std::int64_t n = in[0].shape.back(), m = in[1].shape.back(), results = count(out[0].shape);
  if (results == 0) return;
  Storage copies[2];
  const std::byte *const sorted = detail::in_order(in[0], copies[0]), *const values =
                                                                          detail::in_order(in[1], copies[1]);
  auto* const y = out[0].as<std::int64_t>();
  visit_dtype(in[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr std::int64_t part = 1 << 10;
    // By halves of the row and without branches, of which every second would be guessed wrong.
    const auto place = [&](const T* row, T v) {
      const auto key = order_key(v);
      const auto before = [&](T x) { return right ? !(key < order_key(x)) : order_key(x) < key; };
      std::int64_t at = 0, rest = n;
      for (; rest > 1; rest -= rest / 2) at += before(row[at + rest / 2 - 1]) ? rest / 2 : 0;
      return at + (rest == 1 && before(row[at]));
    };
    parallel_for((results + part - 1) / part, num_threads(), [&](std::int64_t task) {
      const T* row = reinterpret_cast<const T*>(sorted) + task * part / m * n;
      std::int64_t along = task * part % m;
      for (std::int64_t k = task * part; k < std::min(results, (task + 1) * part); ++k) {
        y[k] = place(row, reinterpret_cast<const T*>(values)[k]);
        if (++along == m) row += n, along = 0;
      }
    });
  });
}

Tensor argsort(const Arg& x, Axis axis, Flag descending) {
  return composed("argsort", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    return order(t, axis, extent(t, axis), descending);
  });
}

Tensor sort(const Arg& x, Axis axis, Flag descending) {
  return composed("sort", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    return take_along_axis(t, order(t, axis, extent(t, axis), descending), axis);
  });
}

ValuesIndices topk(const Arg& x, std::int64_t k, Axis axis, Flag largest) {
  return composed("topk", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    const std::int64_t n = extent(t, axis);
    if (k < 0 || k > n) throw ArgumentError(fmt::format("{} of the {} elements along axis {}", k, n, axis));
    const Tensor i = order(t, axis, k, largest);
    return ValuesIndices{take_along_axis(t, i, axis), i};
  });
}

Tensor searchsorted(const Arg& sorted, const Arg& values, Flag right) {
  return composed("searchsorted", {{"in0", sorted}, {"val", values}}, [&] {
    const Tensor s = sorted.tensor(), v = values.tensor(s.dtype());
    if (s.rank() != 1) return apply<SearchSorted>({s, v}, SearchSortedAttrs{right});
    return reshape(apply<SearchSorted>({s, reshape(v, {v.size()})}, SearchSortedAttrs{right}), v.shape());
  });
}

Tensor median(const Arg& x, const Axes& axes, Flag keepdims) {
  constexpr double middle = 0.5;
  return composed("median", {{"in0", x}}, [&] { return between(x.tensor(), {&middle, 1}, axes, keepdims, false); });
}

Tensor quantile(const Arg& x, double q, const Axes& axes, Flag keepdims) {
  return composed("quantile", {{"in0", x}}, [&] { return between(x.tensor(), {&q, 1}, axes, keepdims, false); });
}

Tensor quantile(const Arg& x, const std::vector<double>& q, const Axes& axes, Flag keepdims) {
  return composed("quantile", {{"in0", x}}, [&] { return between(x.tensor(), q, axes, keepdims, true); });
}

}  // namespace weft
