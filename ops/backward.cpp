#include "backward.h"

#include <fmt/format.h>

#include "math.h"

namespace weft {

const Tensor& Backward::in(int i) const {
  if (!in_[static_cast<std::size_t>(i)].defined())
    throw GradError(fmt::format("the gradient rule of {} reads input {}, which it does not declare", op_.name, i));
  return in_[static_cast<std::size_t>(i)];
}

const Tensor& Backward::out(int i) const {
  if (!out_[static_cast<std::size_t>(i)].defined())
    throw GradError(fmt::format("the gradient rule of {} reads output {}, which it does not declare", op_.name, i));
  return out_[static_cast<std::size_t>(i)];
}

const Type& Backward::in_type(int i) const {
  if (in_types_.empty())
    throw GradError(fmt::format("the gradient rule of {} reads types, which it does not declare", op_.name));
  return in_types_[static_cast<std::size_t>(i)];
}

Tensor Backward::grad(int i) const {
  const Tensor& g = grads_[static_cast<std::size_t>(i)];
  if (g.defined()) return g;
  const Type& t = out_types_[static_cast<std::size_t>(i)];
  return broadcast_to(Arg(0).tensor(t.dtype), t.shape);
}

bool Backward::wants(int i) const { return wants_[static_cast<std::size_t>(i)]; }

void Backward::give(int i, const Tensor& cotangent) {
  answered_ = true;
  if (!wants(i) || !cotangent.defined()) return;
  Tensor& sum = given_[static_cast<std::size_t>(i)];
  sum = sum.defined() ? sum + cotangent : cotangent;
}

}  // namespace weft
