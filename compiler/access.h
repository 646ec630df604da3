// Access: where the elements of a value lie once views are looked through: which buffer, and with what strides.
#pragma once

#include <optional>
#include <vector>

#include "../ops/graph.h"

namespace weft {

/// Value v is `base`'s buffer seen with these strides (elements) from this element on. A base lies in row-major order.
struct Access {
  ValueId base = 0;
  std::int64_t offset = 0;
  Shape shape;
  Ints strides;
};

/// For each value of a graph. A view node that cannot be one (a reshape of a transpose) is its own base: it is copied.
/// So is a transpose, but for a small one, that a loop would read with a step from each element to the next.
std::vector<Access> find_accesses(const Graph& graph);

/// The same access without axes of extent 1.
Access squeezed(const Access& a);

/// True if axes [begin, end) can be walked with one stride.
bool one_stride(const Access& a, int begin, int end);

/// How the axes from some split on are walked as the columns of a loop: `stride` elements on after every `repeat`.
struct ColumnWalk {
  std::int64_t stride, repeat;
};
/// None if they can't be: they have neither one stride, nor one and, behind it, a broadcast that is worth a loop's
/// while. The latter is for loops that keep their rows whole.
std::optional<ColumnWalk> walk_columns(const Access& a, int split, bool whole_rows);

/// The extents that are not 1.
Shape without_ones(const Shape& shape);

}  // namespace weft
