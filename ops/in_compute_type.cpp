#include "in_compute_type.h"

#include <fmt/format.h>

#include "mismatch.h"

namespace weft::detail {

DType to_compute_type(std::initializer_list<Operand> operands, Tensor* out) {
  DType dtype = f32;
  for (const Operand& o : operands)
    if (!o.arg.is_number()) {
      dtype = o.arg.given().dtype();
      break;
    }
  if (!is_floating(dtype)) throw DTypeError(fmt::format("no meaning for {}", name_of(dtype)), "cast it to f32 or f64");
  for (const Operand& o : operands) {
    const Tensor t = o.arg.tensor(dtype);
    if (t.dtype() != dtype) throw dtypes_differ(dtype, t.dtype());
    *out++ = cast(t, compute_type(dtype));
  }
  return dtype;
}

}  // namespace weft::detail
