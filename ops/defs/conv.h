// Convolution and its two gradients. All three are one trilinear form, the sum over n, i, k, o, c of
//     y[n, i, o] * x[n, i * stride - before + k * dilation, c] * w[o, c, k]
// with one of the three taken away: so each one's gradients are the others, to any order. Channels are last; a group of
// channels sees its own only. The attributes fix every spatial extent, and each op checks those of all its operands.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../conv.h"
#include "../forward.h"
#include "window.h"

namespace weft {

struct ConvAttrs {
  Windows windows;  // `in` are x's extents
  std::int64_t groups;
  void each(auto&& f) const { windows.each(f), f("groups", groups); }
};

/// What the three have in common.
struct ConvBase {
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::in0 | reads::in1;
};

/// x [n, in..., c], w [o, c / groups, window...] -> y [n, results..., o].
struct Conv : ConvBase {
  static constexpr auto name = "conv";
  static constexpr auto operand_names = "x weight";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static OpWork work(const Attrs&, Types in, Types out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

/// y, w -> x: the gradient for x, and the transposed convolution.
struct ConvInput : ConvBase {
  static constexpr auto name = "conv_input";
  static constexpr auto operand_names = "y weight";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static OpWork work(const Attrs&, Types in, Types out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

/// x, y -> w: the gradient for the weight.
struct ConvWeight : ConvBase {
  static constexpr auto name = "conv_weight";
  static constexpr auto operand_names = "x y";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static OpWork work(const Attrs&, Types in, Types out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

}  // namespace weft
