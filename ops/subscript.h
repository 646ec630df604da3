// x[...], as NumPy's: integers, slices, Ellipsis, NewAxis, index tensors and masks.
//
//     x[0]                                    the first row
//     x[{1, Slice(0, 5, 2), Ellipsis}]        x[1, 0:5:2, ...]
//     x[{Ellipsis, NewAxis, Slice({}, -1)}]   x[..., None, :-1]
//     x[{rows, Slice(), columns}]             of index tensors (i32, i64): their common shape, in place of their axes
//                                             where they stand side by side (integers count as such), else in front
//     x[x > 0]                                of a mask: the elements where it is true
//
// Without tensors the result is a view. A mask's result has as many elements as are true, so in a trace (compile, vmap)
// it is a GuardError: where() and masked_fill() keep the shape. IndexError for an index out of range, more indices than
// axes, two Ellipses, a step of 0, and masks that do not fit; DTypeError for tensors of other dtypes.
#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "../tensor/site.h"
#include "arg.h"
#include "flag.h"

namespace weft {

/// begin:end:step; a bound that is left out is {} (or None). Negative ones count from the back, all are clamped.
struct Slice {
  std::optional<std::int64_t> begin, end;
  std::int64_t step = 1;
  Slice() = default;  ///< the whole axis
  Slice(std::optional<std::int64_t> begin, std::optional<std::int64_t> end, std::int64_t step = 1)
      : begin(begin), end(end), step(step) {}
};

/// As many whole axes as are left.
struct EllipsisIndex {};
inline constexpr EllipsisIndex Ellipsis{};
/// A new axis of extent 1; also a bound of a Slice that is left out.
inline constexpr std::nullopt_t NewAxis = std::nullopt, None = std::nullopt;

/// What may stand in the brackets.
class Index {
 public:
  template <std::integral I>
  requires(!std::same_as<I, bool>) Index(I i, Site site = Site::current())
      : value(static_cast<std::int64_t>(i)), site(site) {}
  Index(const Slice& s, Site site = Site::current()) : value(s), site(site) {}
  Index(EllipsisIndex e, Site site = Site::current()) : value(e), site(site) {}
  Index(std::nullopt_t n, Site site = Site::current()) : value(n), site(site) {}
  Index(const Tensor& indices, Site site = Site::current()) : value(indices), site(site) {}
  Index(const Variable& indices, Site site = Site::current()) : value(indices.value()), site(site) {}

  std::variant<std::int64_t, Slice, EllipsisIndex, std::nullopt_t, Tensor> value;
  Site site;
};

/// x[{indices...}] of a list made at run time.
Tensor subscript(const Arg& x, std::span<const Index> indices);

/// x with `values`, which broadcast to x[{indices...}]'s shape, there: set, of the same element named twice the last,
/// or, with `accumulate`, added.
Tensor index_put(const Arg& x, const std::vector<Index>& indices, const Arg& values, Flag accumulate = false);

}  // namespace weft
