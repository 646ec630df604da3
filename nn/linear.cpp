#include "linear.h"

#include <fmt/format.h>

#include "../ops/apply.h"
#include "../ops/linalg.h"
#include "../ops/math.h"
#include "../ops/recorder.h"
#include "../tensor/site.h"
#include "layer_scope.h"
#include "precision.h"

namespace weft::nn {

Linear::Linear(std::int64_t in, std::int64_t out, Flag with_bias, init::Initializer initializer, DType dtype,
               random::Generator& generator, Site site) {
  weft::detail::called("Linear", site, [&] {
    if (in < 1 || out < 1) throw ArgumentError(fmt::format("{} -> {}", in, out), "both extents are at least 1");
    weight = Variable(init::initial(initializer, {in, out}, dtype, generator), true, "weight");
    if (with_bias) bias.emplace(zeros({out}, dtype), true, "bias");
  });
}

Tensor Linear::operator()(const Arg& x) const {
  const LayerScope layer("Linear", &weight);
  const SiteScope scope(x.site());
  const Tensor input = x.tensor(weight.dtype());
  if (input.defined() && (input.rank() == 0 || input.shape().back() != weight.shape()[0]))
    weft::detail::fail_in(
        "Linear",
        ShapeError(fmt::format("{} takes [..., {}], not {}", text(), weight.shape()[0], input.shape().text())),
        {describe_operand("x       ", input), describe_operand("weight  ", weight.state()->value)});
  const Tensor product = matmul(Arg(narrow(input), x.site()), Arg(narrow(weight), x.site()));
  return bias ? add(product, narrow(*bias)) : product;
}

std::string Linear::text() const {
  return fmt::format("Linear {} -> {}{}", weight.shape()[0], weight.shape()[1], bias ? "" : " without bias");
}

}  // namespace weft::nn
