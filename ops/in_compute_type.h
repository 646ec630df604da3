// How a composition of floats computes: in their compute type, rounded once.
#pragma once

#include <array>
#include <type_traits>

#include "composition.h"
#include "math.h"

namespace weft::detail {

/// The operands, three at most, in their compute type, and the dtype they came in; a literal takes that of the tensors.
/// DTypeError if dtypes differ or are no floats.
DType to_compute_type(std::initializer_list<Operand> operands, Tensor* out);

/// f(the operands in their compute type) in the operands' dtype, under the function's own name.
template <class F> Tensor in_compute_type(const char* name, std::initializer_list<Operand> operands, F&& f) {
  return composed(name, operands, [&] {
    std::array<Tensor, 3> in;
    const DType dtype = to_compute_type(operands, in.data());
    if constexpr (std::is_invocable_v<F, Tensor>)
      return cast(f(in[0]), dtype);
    else if constexpr (std::is_invocable_v<F, Tensor, Tensor>)
      return cast(f(in[0], in[1]), dtype);
    else
      return cast(f(in[0], in[1], in[2]), dtype);
  });
}
template <class F> Tensor in_compute_type(const char* name, const Arg& x, F&& f) {
  return in_compute_type(name, {{"in0", x}}, f);
}

}  // namespace weft::detail
