#include "distances.h"

#include <fmt/format.h>

#include "compose.h"
#include "composition.h"
#include "manipulate.h"
#include "math.h"

namespace weft {

Tensor diff(const Arg& x, int n, std::int64_t axis) {
  return detail::composed("diff", {{"in0", x}}, [&] {
    Tensor t = x.tensor();
    const int at = normal_axis(axis, t.rank());
    if (n < 0) throw ArgumentError(fmt::format("{} times", n));
    for (int i = 0; i < n && t.shape()[at] > 0; ++i)
      t = slice_axis(t, at, 1, INT64_MAX) - slice_axis(t, at, 0, t.shape()[at] - 1);
    return t;
  });
}

Tensor cdist(const Arg& a, const Arg& b, double p) {
  return detail::composed("cdist", {{"lhs", a}, {"rhs", b}}, [&] {
    const Tensor x = a.tensor(), y = b.tensor();
    if (x.rank() < 2 || y.rank() < 2 || x.shape().back() != y.shape().back())
      throw ShapeError(fmt::format("{} and {} are not points of one dimension", x.shape().text(), y.shape().text()));
    return norm(expand(x, -2) - expand(y, -3), -1, false, p);
  });
}

}  // namespace weft
