#include "transposing.h"

#include "defs/shape.h"
#include "inferred.h"

namespace weft {

Ints inverse(const Ints& axes) {
  Ints back = axes;
  for (int i = 0; i < axes.size(); ++i) back[static_cast<int>(axes[i])] = i;
  return back;
}

ValueId transpose(Graph& graph, ValueId v, const Ints& axes, const Origin& site) {
  return add_inferred(graph, op_of<Transpose>(), TransposeAttrs{axes}, std::span(&v, 1), site);
}

bool Transposing::swaps(int first, int second) const {
  const int rank = axes.size();
  if (first > rank || second > rank) return false;
  for (int i = 0; i < rank; ++i) {
    const int from = i == rank - first ? rank - second : i == rank - second ? rank - first : i;
    if (axes[i] != from) return false;
  }
  return true;
}

void Transposing::give(const Attrs& attrs, std::span<const ValueId> in) {
  given_ = add_inferred(to_, *node.op, attrs, in, node.site);
}

}  // namespace weft
