#include "access.h"

namespace weft {

std::vector<Access> find_accesses(const Graph& graph) {
  std::vector<Access> list(graph.values.size());
  for (ValueId v = 0; v < graph.values.size(); ++v) {
    const Shape& shape = graph.type(v).shape;
    list[v] = {v, 0, shape, contiguous_strides(shape)};
    const Graph::Node* n = graph.producer(v);
    if (graph.values[v].kind == Graph::Value::constant) {
      list[v].strides = graph.constants[graph.values[v].index].strides();  // a captured view stays one
      continue;
    }
    if (!n || n->op->kind != OpKind::view || count(shape) == 0) continue;
    const Access& in = list[n->in[0]];
    // The op's own view function, on an address that stands for element 0 of the base.
    const auto size = static_cast<std::int64_t>(size_of(graph.type(v).dtype));
    auto* const origin = reinterpret_cast<std::byte*>(std::uintptr_t{1} << 60);
    const View from{graph.type(v).dtype, in.shape, in.strides, origin + in.offset * size};
    View to{graph.type(v).dtype, shape, {}, nullptr};
    if (!n->op->view(n->attrs, from, to)) continue;
    list[v] = {in.base, (to.as<std::byte>() - origin) / size, shape, to.strides};
  }
  return list;
}

Shape without_ones(const Shape& shape) {
  Shape s;
  for (const std::int64_t n : shape)
    if (n != 1) s.push_back(n);
  return s;
}

Access squeezed(const Access& a) {
  Access r{a.base, a.offset, {}, {}};
  for (int i = 0; i < a.shape.size(); ++i) {
    if (a.shape[i] == 1) continue;
    r.shape.push_back(a.shape[i]);
    r.strides.push_back(a.strides[i]);
  }
  return r;
}

}  // namespace weft
