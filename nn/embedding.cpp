#include "embedding.h"

#include <fmt/format.h>

#include "../ops/apply.h"
#include "../ops/composition.h"
#include "../ops/indexing.h"
#include "../ops/recorder.h"
#include "layer_scope.h"
#include "precision.h"

namespace weft::nn {

Embedding::Embedding(std::int64_t rows, std::int64_t width, init::Initializer initializer, DType dtype,
                     random::Generator& generator, Site site) {
  weft::detail::called("Embedding", site, [&] {
    if (rows < 1 || width < 1) throw ArgumentError(fmt::format("{} x {}", rows, width), "both extents are at least 1");
    weight = Variable(init::initial(initializer, {rows, width}, dtype, generator), true, "weight");
  });
}

Tensor embedding(const Arg& indices, const Arg& table) {
  return weft::detail::composed("embedding", {{"indices ", indices}, {"table   ", table}},
                                [&] { return gather(table, indices); });
}

Tensor Embedding::operator()(const Arg& indices) const {
  const LayerScope layer("Embedding", &weight);
  const Arg table(weight, indices.site());
  return weft::detail::composed("Embedding", {{"indices ", indices}, {"weight  ", table}},
                                [&] { return narrow(embedding(indices, table)); });  // of the rows, not of the table
}

std::string Embedding::text() const { return fmt::format("Embedding {} x {}", weight.shape()[0], weight.shape()[1]); }

}  // namespace weft::nn
