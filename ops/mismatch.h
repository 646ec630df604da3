// Errors of types that should be the same.
#pragma once

#include "../tensor/tensor.h"

namespace weft::detail {

/// "dtypes differ: f32 and f64", and what to cast.
DTypeError dtypes_differ(DType a, DType b);

/// If they differ, DTypeError for dtypes, else ShapeError, with the text that rule() makes.
template <class Rule> void check_same_type(const Type& a, const Type& b, Rule&& rule) {
  if (a.dtype != b.dtype) throw DTypeError(rule());
  if (a.shape != b.shape) throw ShapeError(rule());
}

}  // namespace weft::detail
