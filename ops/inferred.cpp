#include "inferred.h"

#include <vector>

namespace weft {

ValueId add_inferred(Graph& graph, const Op& op, const Attrs& attrs, std::span<const ValueId> in, const Origin& site) {
  std::vector<const Type*> types;
  for (const ValueId v : in) types.push_back(&graph.type(v));
  std::vector<Type> out(static_cast<std::size_t>(op.outputs));
  op.infer(attrs, types, out);
  return graph.add(op, attrs, in, out, site);
}

}  // namespace weft
