// Ops that move elements: views where they can be, copies elsewhere.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../forward.h"
#include "../manipulate.h"
#include "../math.h"
#include "../reduce.h"

namespace weft {

struct ShapeAttrs {
  Shape shape;
  void each(auto&& f) const { f("shape", shape); }
};

/// An op that only moves elements; no struct below needs a `run` but those that fill.
struct Movement {
  static constexpr OpKind kind = OpKind::view;
  static constexpr std::uint32_t reads = reads::types;
  static constexpr std::uint32_t linear = linear::in0;
};

struct BroadcastTo : Movement {
  static constexpr auto name = "broadcast_to";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static bool view(const Attrs&, const View& in, View& out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

struct Reshape : Movement {
  static constexpr auto name = "reshape";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static bool view(const Attrs&, const View& in, View& out);
  static void vjp(Backward& b) { b.give(0, reshape(b.grad(), b.in_type().shape)); }
  static void batch(Batching& b) { b.apply(ShapeAttrs{b.with_batch(b.attrs<ShapeAttrs>().shape)}); }
};

struct TransposeAttrs {
  Ints axes;
  void each(auto&& f) const { f("axes", axes); }
};
struct Transpose : Movement {
  static constexpr auto name = "transpose";
  static constexpr std::uint32_t reads = reads::nothing;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static bool view(const Attrs&, const View& in, View& out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

/// Element i of the result along an axis is element begin + i * step of x, for i < size.
struct SliceAttrs {
  Ints begin, step, size;
  void each(auto&& f) const { f("begin", begin), f("step", step), f("size", size); }
};
struct StridedSlice : Movement {
  static constexpr auto name = "slice";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static bool view(const Attrs&, const View& in, View& out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

/// The opposite of StridedSlice: a tensor of `shape` filled with `value`, with x at begin, begin + step, ...
struct EmbedAttrs {
  Ints begin, step;
  Shape shape;
  Literal value;
  void each(auto&& f) const { f("begin", begin), f("step", step), f("shape", shape), f("value", value); }
};
struct Embed {
  static constexpr auto name = "embed";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::types;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);  // affine: what fills the rest has no tangent
  static void batch(Batching& b);
};

struct ConcatAttrs {
  int axis;
  void each(auto&& f) const { f("axis", axis); }
};
struct Concat {
  static constexpr auto name = "concat";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::types;
  static constexpr std::uint32_t linear = linear::all;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b) { b.apply(ConcatAttrs{b.attrs<ConcatAttrs>().axis + 1}); }
};

/// A copy in row-major order; of what lies so already, a view.
struct Contiguous : Movement {
  static constexpr auto name = "contiguous";
  static constexpr std::uint32_t reads = reads::nothing;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static bool view(const Attrs&, const View& in, View& out) {
    if (!in.contiguous()) return false;
    out = {in.dtype, in.shape, contiguous_strides(in.shape), in.data};
    return true;
  }
  static void vjp(Backward& b) { b.give(0, b.grad()); }
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

namespace detail {
/// x summed over the axes along which `shape` was broadcast to x's shape: the one un-broadcast.
Tensor sum_to(const Tensor& x, const Shape& shape);
}  // namespace detail

}  // namespace weft
