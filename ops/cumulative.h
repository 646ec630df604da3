// Along an axis, what has come so far. Results do not depend on the number of threads. IndexError for a bad axis,
// DTypeError for bools.
#pragma once

#include "arg.h"
#include "axes.h"
#include "flag.h"
#include "reduce.h"

namespace weft {

/// Sums of the elements up to each one, or, `reverse`, from it on. Blocks of 1024 are added up each by itself, then one
/// after the other. Numbers only.
Tensor cumsum(const Arg& x, Axis axis = -1, Flag reverse = false);
/// Products, likewise. The gradient is exact at zeros.
Tensor cumprod(const Arg& x, Axis axis = -1, Flag reverse = false);
/// The largest so far and its index (i64), the first of equals; from the first NaN on that NaN. The gradient goes to
/// the elements of these indices.
ValuesIndices cummax(const Arg& x, Axis axis = -1, Flag reverse = false);
/// The smallest so far, likewise.
ValuesIndices cummin(const Arg& x, Axis axis = -1, Flag reverse = false);
/// y[t] = a[t] * y[t - 1] + b[t] along an axis, y before the first 0; `reverse`: y[t] = a[t] * y[t + 1] + b[t].
/// Operands of one shape and dtype; ShapeError, DTypeError. What recurrences (and cumprod's gradient) are made of.
Tensor linear_recurrence(const Arg& a, const Arg& b, Axis axis = -1, Flag reverse = false);

}  // namespace weft
