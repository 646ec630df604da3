#include "counting.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "../tensor/create.h"
#include "composition.h"
#include "indexing.h"
#include "manipulate.h"
#include "math.h"
#include "sort.h"

namespace weft {

using detail::composed;

namespace {

Tensor sums_of(const Tensor& x, std::int64_t length, const Tensor& weights) {
  if (length < 0) throw ArgumentError(fmt::format("length {} is below 0", length));
  if (x.dtype() != i32 && x.dtype() != i64)
    throw DTypeError(fmt::format("numbers are {}, not i32 or i64", name_of(x.dtype())));
  if (weights.shape() != x.shape())
    throw ShapeError(fmt::format("weights of {} for {}", weights.shape().text(), x.shape().text()));
  return scatter_add(zeros({length}, weights.dtype()), check_indices(reshape(x, {-1}), length), reshape(weights, {-1}));
}

}  // namespace

Tensor bincount(const Arg& x, std::int64_t length) {
  return composed("bincount", {{"in0", x}}, [&] { return sums_of(x.tensor(), length, ones(x.tensor().shape(), i64)); });
}

Tensor bincount(const Arg& x, std::int64_t length, const Arg& weights) {
  return composed("bincount", {{"in0     ", x}, {"weights ", weights}},
                  [&] { return sums_of(x.tensor(), length, weights.tensor()); });
}

HistogramResult histogram(const Arg& x, std::int64_t bins, double low, double high) {
  return composed("histogram", {{"in0", x}}, [&] {
    const Tensor given = x.tensor();
    if (!is_floating(given.dtype())) throw DTypeError(fmt::format("{} is no float", name_of(given.dtype())));
    const Tensor t = cast(given, compute_type(given.dtype()));
    if (bins < 1 || bins > INT32_MAX) throw ArgumentError(fmt::format("{} bins, from 1 to 2^31 - 1", bins));
    const double most = t.dtype() == f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    if (!(low < high && high - low <= most && std::abs(low) <= most && std::abs(high) <= most))
      throw ArgumentError(fmt::format("no finite {} low {} < high {}", name_of(t.dtype()), low, high));
    const Tensor edges = linspace(low, high, bins + 1, t.dtype());
    const Tensor last = slice_axis(edges, 0, bins, bins + 1);
    // As many edges as are not above x: 0 below all of them, bins + 1 from the last on and for NaN.
    const Tensor bin = where(equal(t, last), bins, searchsorted(edges, t, true)) - 1;
    const Tensor inside = logical_and(bin >= 0, bin < bins);
    return HistogramResult{bincount(where(inside, bin, 0), bins, cast(inside, i64)), edges};
  });
}

}  // namespace weft
