#include "access.h"

#include <algorithm>

#include "kernel.h"

namespace weft {
namespace {

// Measured: a transpose of so many bytes read with so many from one element to the next takes two to ten times as long
// as a copy of it in blocks does; smaller ones about as long.
constexpr std::int64_t far = 32, large = 32 << 10;

/// Values that loops of ours read: elementwise ops and reductions.
std::vector<bool> read_by_loops(const Graph& graph) {
  std::vector<bool> read(graph.values.size());
  for (auto n = graph.nodes.rbegin(); n != graph.nodes.rend(); ++n) {
    const bool loop = n->op->kind == OpKind::elementwise || n->op->kind == OpKind::reduction;
    if (loop || (n->op->kind == OpKind::view && read[n->out]))
      for (const ValueId v : n->in) read[v] = true;
  }
  return read;
}

/// Such a view is sooner turned in blocks than read with a step from each element to the next.
bool steps_far(const Access& a, DType dtype) {
  const Access s = squeezed(a);
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  std::int64_t elements = 1;  // of the base: a broadcast shows them again
  for (int k = 0; k < s.shape.size(); ++k)
    if (s.strides[k] != 0) elements *= s.shape[k];
  return !s.shape.empty() && s.strides.back() * size >= far && elements * size >= large &&
         std::find(s.strides.begin(), s.strides.end(), 1) != s.strides.end();
}

}  // namespace

std::vector<Access> find_accesses(const Graph& graph) {
  std::vector<Access> list(graph.values.size());
  const std::vector<bool> loops_read = read_by_loops(graph);
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
    const Access seen{in.base, (to.as<std::byte>() - origin) / size, shape, to.strides};
    if (!loops_read[v] || !steps_far(seen, graph.type(v).dtype)) list[v] = seen;
  }
  return list;
}

Shape without_ones(const Shape& shape) {
  Shape s;
  for (const std::int64_t n : shape)
    if (n != 1) s.push_back(n);
  return s;
}

bool one_stride(const Access& a, int begin, int end) {
  for (int k = begin; k + 1 < end; ++k)
    if (a.strides[k] != a.strides[k + 1] * a.shape[k + 1]) return false;
  return true;
}

std::optional<ColumnWalk> walk_columns(const Access& a, int split, bool whole_rows) {
  const int end = a.shape.size();
  if (one_stride(a, split, end)) return ColumnWalk{split < end ? a.strides[end - 1] : 0, 1};
  int inner = end;
  std::int64_t repeat = 1;
  while (a.strides[inner - 1] == 0) repeat *= a.shape[--inner];
  std::int64_t columns = repeat;
  for (int k = split; k < inner; ++k) columns *= a.shape[k];
  if (!whole_rows || split == 0 || repeat < least_repeat || columns <= most_small_columns || columns > INT32_MAX ||
      !one_stride(a, split, inner))
    return std::nullopt;
  return ColumnWalk{a.strides[inner - 1], repeat};
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
