// What updates of some rows are made of: ops of compiled graphs only, so without gradient rules.
#pragma once

#include "../ops/op.h"

namespace weft {

struct ScatterIndicesAttrs {
  std::int64_t n;
  const Op* of;  // the scatter that they are for: errors name it
  void each(auto&& f) const { f("n", n); }
  bool operator==(const ScatterIndicesAttrs&) const = default;
};
/// indices -> the same, each in [-n, n).
const Op& scatter_indices_op();

struct UniqueRowsAttrs {
  std::int64_t n;
  void each(auto&& f) const { f("n", n); }
};
/// indices [N] in [-n, n) -> rows [N], slots [N]: rows[slots[k]] is the row that index k names. A slot is the place
/// where its row is named first; `rows` is -1 in other places.
const Op& unique_rows_op();
/// x [V, ...], rows [N], y [N, ...] -> x with row rows[k] set to y[k], -1 being none. In place, it touches these only.
const Op& set_rows_op();
/// rows [N], y [N, ...] -> the sum of all elements of set_rows(0[V, ...], rows, y): that of sum(), to the bit.
const Op& sum_rows_op();

/// x - s, s a number of x's type or a wider one, in which it is computed. Where s is +0 that is x to the bit: in place,
/// nothing is touched.
const Op& sub_scalar_op();

/// True if the number is +0: what may be taken from any other without changing a bit of it.
bool is_positive_zero(const View& number);

}  // namespace weft
