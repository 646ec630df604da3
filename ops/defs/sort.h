// Orders. They give indices and have no gradient: sort, topk, quantile gather by them.
#pragma once

#include "../batching.h"
#include "../sort.h"

namespace weft {

struct ArgSortAttrs {
  std::int64_t from, k;  // the ranks from, from + 1, ... from + k - 1
  bool descending;
  void each(auto&& f) const { f("from", from), f("k", k), f("descending", descending); }
};
/// The indices of those ranks of the last axis in order: [..., n] -> i64[..., k].
struct ArgSort {
  static constexpr auto name = "argsort";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool differentiable = false;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

struct SearchSortedAttrs {
  bool right;
  void each(auto&& f) const { f("right", right); }
};
/// [..., n] and [..., m] -> i64[..., m].
struct SearchSorted {
  static constexpr auto name = "searchsorted";
  static constexpr auto operand_names = "in0 val";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool differentiable = false;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

}  // namespace weft
