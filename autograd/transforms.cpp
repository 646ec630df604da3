#include "transforms.h"

#include <fmt/format.h>

#include "../ops/apply.h"
#include "../ops/defs/shape.h"

namespace weft {

Tensor detail::another(const Tensor& t) {
  return t.defined() ? apply<Reshape>({t}, ShapeAttrs{t.shape()}) : t;  // a view
}

void detail::check_loss(const Tensor& loss) {
  if (!loss.defined()) throw GradError("the loss is undefined");
  if (!is_floating(loss.dtype())) throw DTypeError(fmt::format("the loss is {}, not a float", loss.type().text()));
  if (loss.size() != 1)
    throw GradError(fmt::format("the loss is {}, not one number", loss.type().text()),
                    "sum() or mean() it; vjp() and jacobian() take functions of many results");
}

}  // namespace weft
