#include "transposing.h"

#include "defs/shape.h"

namespace weft {

Ints inverse(const Ints& axes) {
  Ints back = axes;
  for (int i = 0; i < axes.size(); ++i) back[static_cast<int>(axes[i])] = i;
  return back;
}

ValueId transpose(Graph& graph, ValueId v, const Ints& axes, const Origin& site) {
  const TransposeAttrs attrs{axes};
  Type out;
  const Type* const in = &graph.type(v);
  Transpose::infer(attrs, std::span(&in, 1), std::span(&out, 1));
  return graph.add(op_of<Transpose>(), attrs, std::span(&v, 1), std::span(&out, 1), site);
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
  std::vector<const Type*> types;
  for (const ValueId v : in) types.push_back(&to_.type(v));
  std::vector<Type> out(static_cast<std::size_t>(node.outputs));
  node.op->infer(attrs, types, out);
  given_ = to_.add(*node.op, attrs, in, out, node.site);
}

}  // namespace weft
