// Linear interpolation along an axis, and what takes its gradient back.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../forward.h"

namespace weft {

struct ResizeAttrs {
  int axis;
  std::int64_t from, to;  // the extents of x and of y along it
  bool align_corners;     // the first and last places are x's first and last elements; else extents are areas
  void each(auto&& f) const { f("axis", axis), f("from", from), f("to", to), f("align_corners", align_corners); }
};

struct Resize {
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t linear = linear::in0;
  static void batch(Batching& b);
};

/// x -> y: along the axis, between the two elements around each place, a (1 - w) + b w.
struct ResizeLinear : Resize {
  static constexpr auto name = "resize_linear";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

/// y -> x: each element of y, by its place's two weights, added to the two elements around it; in order.
struct SpreadLinear : Resize {
  static constexpr auto name = "spread_linear";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

}  // namespace weft
