#include "spaces.h"

#include <algorithm>

#include "groups.h"

namespace weft {
namespace {

constexpr std::int64_t least_columns = 16;  // of a last axis that is cut: shorter ones make poor loops

/// A space that both shapes cut to; none if they are cut across each other, as [4, 6] and [6, 4] are.
std::optional<Shape> common(const Shape& a, const Shape& b) {
  std::vector<std::int64_t> reversed;
  std::int64_t left_a = 1, left_b = 1;  // of the axis that is being cut
  for (int i = a.size(), j = b.size(); i > 0 || j > 0 || left_a > 1 || left_b > 1;) {
    if (left_a == 1 && i > 0) left_a = a[--i];
    if (left_b == 1 && j > 0) left_b = b[--j];
    const std::int64_t extent = std::min(left_a, left_b);
    if (left_a % extent || left_b % extent) return std::nullopt;
    left_a /= extent, left_b /= extent;
    reversed.push_back(extent);
  }
  Shape s;
  for (auto n = reversed.rbegin(); n != reversed.rend(); ++n) s.push_back(*n);
  const bool same_columns = s.empty() || (s.back() == a.back() && s.back() == b.back());
  return same_columns || s.back() >= least_columns ? std::optional(s) : std::nullopt;
}

void add(std::vector<Shape>& spaces, const Shape& shape) {
  for (Shape& space : spaces) {
    if (count(space) != count(shape)) continue;
    if (const std::optional<Shape> both = common(space, shape)) {
      space = *both;
      return;
    }
  }
  spaces.push_back(shape);
}

}  // namespace

std::optional<Access> cut_to(const Access& a, const Shape& space) {
  Access s = squeezed(a);
  if (s.shape == space) return s;
  Access r{s.base, s.offset, space, Ints::filled(space.size(), 0)};
  int end = space.size();
  for (int k = s.shape.size(); k-- > 0;) {
    std::int64_t extent = 1;
    while (extent < s.shape[k] && end > 0) {
      --end;
      r.strides[end] = s.strides[k] * extent;
      extent *= space[end];
    }
    if (extent != s.shape[k]) return std::nullopt;
  }
  return end == 0 ? std::optional(r) : std::nullopt;
}

bool cuts_to(const Shape& shape, const Shape& space) {
  return cut_to({0, 0, shape, contiguous_strides(shape)}, space).has_value();
}

std::vector<Shape> loop_spaces(const Graph& graph) {
  std::vector<Shape> shapes(graph.nodes.size()), spaces;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Graph::Node& n = graph.nodes[i];
    if (!is_fusable(graph, n)) continue;
    shapes[i] = without_ones(graph.type(n.op->kind == OpKind::reduction ? n.in[0] : n.out).shape);
    add(spaces, shapes[i]);
  }
  for (Shape& shape : shapes)
    for (const Shape& space : spaces)
      if (cuts_to(shape, space)) {
        shape = space;
        break;
      }
  return shapes;
}

}  // namespace weft
