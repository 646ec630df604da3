#include "activations.h"

#include <fmt/format.h>

#include "../ops/recorder.h"
#include "../tensor/create.h"
#include "layer_scope.h"
#include "precision.h"

namespace weft::nn {

Prelu::Prelu(std::int64_t channels, double initial, DType dtype, Site site) {
  weft::detail::called("Prelu", site, [&] {
    if (channels < 1) throw ArgumentError(fmt::format("{} channels", channels), "there is at least 1");
    weight = Variable(full({channels}, initial, dtype), true, "weight");
  });
}

Tensor Prelu::operator()(const Arg& x) const {
  const LayerScope layer("Prelu", &weight);
  return prelu(Arg(narrow(x), x.site()), narrow(weight));
}

std::string Prelu::text() const { return fmt::format("Prelu {}", weight.shape()[0]); }

}  // namespace weft::nn
