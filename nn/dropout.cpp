#include "dropout.h"

#include <fmt/format.h>

#include "../ops/composition.h"
#include "../ops/math.h"
#include "layer_scope.h"
#include "mode.h"

namespace weft::nn {

Dropout::Dropout(double p, random::Generator& generator, Site site) : p_(p), generator_(generator.state.state()) {
  weft::detail::called("Dropout", site, [&] {
    if (!(p >= 0 && p < 1))
      throw ArgumentError(fmt::format("p is {}, not in [0, 1)", p), "p is the share that is dropped");
  });
}

Tensor Dropout::operator()(const Arg& x) const {
  const LayerScope layer("Dropout");
  return weft::detail::composed("Dropout", {{"x", x}}, [&] {
    const Tensor t = x.tensor();
    if (!is_floating(t.dtype()))
      throw DTypeError(fmt::format("no meaning for {}", name_of(t.dtype())), "cast it to f32 or f64");
    if (!training() || p_ == 0) return t;
    // where() and not a product with the mask: a dropped Inf is 0, not NaN
    random::Generator generator(Variable::handle(generator_));
    return where(random::bernoulli(t.shape(), 1 - p_, generator), t * (1 / (1 - p_)), 0);
  });
}

std::string Dropout::text() const { return fmt::format("Dropout {}", p_); }

}  // namespace weft::nn
