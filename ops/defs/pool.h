// Pools, channels last. max_pool(x) is MaxPick(x, x): so its gradient and its tangent are one op each, of any order.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../forward.h"
#include "../pool.h"
#include "window.h"

namespace weft {

struct PoolAttrs {
  Windows windows;  // of an adaptive pool only `in`
  Ints adaptive;    // how many results it has by axis; of another empty
  bool count_include_pad;

  void each(auto&& f) const {
    windows.each(f);
    f("adaptive", adaptive), f("count_include_pad", count_include_pad);
  }
  /// How many results each axis has; ArgumentError as Windows::results, and for a window of padding alone.
  Ints results() const;
};

struct PoolBase {
  static constexpr OpKind kind = OpKind::kernel;
};

/// by, x [n, in..., c] -> [n, results..., c]: of each window the element of x where `by` is largest.
struct MaxPick : PoolBase {
  static constexpr auto name = "max_pick";
  static constexpr auto operand_names = "by x";
  static constexpr std::uint32_t reads = reads::in0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

/// by, y -> x: each element of y added where `by` is largest in its window, 0 elsewhere.
struct MaxPut : PoolBase {
  static constexpr auto name = "max_put";
  static constexpr auto operand_names = "by y";
  static constexpr std::uint32_t reads = reads::in0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

/// x -> y: the mean of each window.
struct AvgPool : PoolBase {
  static constexpr auto name = "avg_pool";
  static constexpr std::uint32_t linear = linear::in0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

/// y -> x: each element of y, over the size of its window, added to all that the window holds.
struct AvgSpread : PoolBase {
  static constexpr auto name = "avg_spread";
  static constexpr std::uint32_t linear = linear::in0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

}  // namespace weft
