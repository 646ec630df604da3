// What a public function takes and what its gradients do, found by calling it.
#pragma once

#include <weft/tests/functions.h>

namespace weft::doc {

/// "f32 f64 i32", or a word for a usual list: all, numbers, floats.
std::string listed(const std::function<bool(DType)>& accepts);
std::string dtypes_of(const test::PublicFunction& f);
/// "yes": of any order; "order 1"; "stops" where none comes back.
std::string gradient_of(const test::PublicFunction& f);

}  // namespace weft::doc
