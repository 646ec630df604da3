// Ops that address by index tensors. Indices are checked before anything is written.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../forward.h"
#include "../indexing.h"

namespace weft {

struct AxisAttrs {
  int axis;
  void each(auto&& f) const { f("axis", axis); }
};

struct Gather {
  static constexpr auto name = "gather";
  static constexpr auto operand_names = "x idx";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::in1 | reads::types;
  static constexpr std::uint32_t linear = linear::in0;
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

/// x with each update combined, in index order, into the element that its index names.
struct Scatter {
  static constexpr auto operand_names = "x idx upd";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool checks = true;
  static constexpr bool in_place = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
};

struct ScatterAdd : Scatter {
  static constexpr auto name = "scatter_add";
  static constexpr std::uint32_t reads = reads::in1;
  static constexpr std::uint32_t linear = linear::in0 | linear::in2;
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

struct ScatterSet : Scatter {
  static constexpr auto name = "scatter_set";
  static constexpr std::uint32_t reads = reads::in1 | reads::types;
  static constexpr std::uint32_t linear = linear::in0 | linear::in2;
  static void infer(const Attrs&, Types in, std::span<Type> out);  // of bools too
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

struct ScatterMax : Scatter {
  static constexpr auto name = "scatter_max";
  static constexpr std::uint32_t reads = reads::in0 | reads::in1 | reads::in2 | reads::out0;
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

struct ScatterMin : Scatter {
  static constexpr auto name = "scatter_min";
  static constexpr std::uint32_t reads = reads::in0 | reads::in1 | reads::in2 | reads::out0;
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

struct CheckAttrs {
  std::int64_t n, low = 0;
  void each(auto&& f) const { f("n", n), f("low", low); }
};
struct CheckIndices {
  static constexpr auto name = "check_indices";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool differentiable = false;
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

struct PositionsAttrs {
  int axis;
  std::int64_t n, outer;  // x's extents: along the axis, and the product of those before it
  void each(auto&& f) const { f("axis", axis), f("n", n), f("outer", outer); }
};
/// Where each index, along an axis of x, points to in x's row-major order: in[o, i, k] becomes (o n + in[o, i, k]) inner
/// + k. An index of -1 is the last.
struct AxisPositions {
  static constexpr auto name = "axis_positions";
  static constexpr auto operand_names = "idx";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool differentiable = false;
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b);
};

}  // namespace weft
