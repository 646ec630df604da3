#include "dropout.h"

#include <fmt/format.h>

#include "../ops/math.h"
#include "../ops/recorder.h"
#include "mode.h"

namespace weft::nn {

Dropout::Dropout(double p, Generator& generator) : p_(p), generator_(&generator) {
  if (!(p >= 0 && p < 1))
    throw ArgumentError(fmt::format("dropout: p is {}, not in [0, 1)", p), "p is the share that is dropped");
}

Tensor Dropout::operator()(const Arg& x) const {
  const Tensor t = x.tensor();
  if (!training() || p_ == 0 || !t.defined()) return t;
  const SiteScope scope(x.site());
  // where() and not a product with the mask: a dropped Inf is 0, not NaN
  return where(random::bernoulli(t.shape(), 1 - p_, *generator_), t * (1 / (1 - p_)), 0);
}

std::string Dropout::text() const { return fmt::format("Dropout {}", p_); }

}  // namespace weft::nn
