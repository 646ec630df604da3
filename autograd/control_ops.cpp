#include "control_ops.h"

namespace weft::control {

Type stacked(const Type& t, std::int64_t n) {
  Type s = t;
  s.shape.insert(0, n);
  return s;
}

View element(const View& stack, std::int64_t i) {
  View e = stack;
  e.data = stack.as<std::byte>() + i * stack.strides[0] * static_cast<std::int64_t>(size_of(stack.dtype));
  e.shape.erase(0);
  e.strides.erase(0);
  return e;
}

std::vector<Tensor> apply_several(const Op& op, const Attrs& attrs, std::size_t outputs, std::span<const Tensor> in) {
  std::vector<Tensor> out(outputs);
  apply(op, attrs, in, out);
  return out;
}

}  // namespace weft::control
