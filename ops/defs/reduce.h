// Reductions. A node reduces one run of adjacent axes, [begin, end), which then are gone: [outer, n, inner] ->
// [outer, inner]. The public functions apply one node a run, the last run first, so that the order of the additions
// belongs to the node (design, section 5).
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../forward.h"
#include "../kernels/reduce.h"
#include "../math.h"
#include "../reduce.h"

namespace weft {

struct ReduceAttrs {
  int begin, end;
  void each(auto&& f) const { f("begin", begin), f("end", end); }
};

/// What a reduction node is: the extents of its three parts. Only where one of them is 0 can another overflow; it is
/// then INT64_MAX.
struct ReduceGeometry {
  std::int64_t outer = 1, n = 1, inner = 1;
  ReduceGeometry(const Shape& in, const ReduceAttrs& a) {
    for (int i = 0; i < in.size(); ++i) {
      std::int64_t& part = i < a.begin ? outer : i < a.end ? n : inner;
      if (__builtin_mul_overflow(part, in[i], &part)) part = INT64_MAX;
    }
  }
};

struct ReductionBase {
  static constexpr OpKind kind = OpKind::reduction;
};
template <Reduction r> struct ReductionOp : ReductionBase {
  static constexpr Reduction reduction = r;
  static void run(const Attrs& attrs, Views in, Views out) {
    const ReduceGeometry g(in[0].shape, attrs.as<ReduceAttrs>());
    run_reduction(r, g.outer, g.n, g.inner, in[0], out[0]);
  }
};
struct Sum : ReductionOp<Reduction::sum> {
  static constexpr auto name = "sum";
  static constexpr std::uint32_t reads = reads::types;
  static constexpr std::uint32_t linear = linear::in0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void vjp(Backward& b);
};
struct Prod : ReductionOp<Reduction::prod> {
  static constexpr auto name = "prod";
  static constexpr std::uint32_t reads = reads::in0 | reads::types;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
};
struct Max : ReductionOp<Reduction::max> {
  static constexpr auto name = "max";
  static constexpr std::uint32_t reads = reads::in0 | reads::out0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
};
struct Min : ReductionOp<Reduction::min> {
  static constexpr auto name = "min";
  static constexpr std::uint32_t reads = reads::in0 | reads::out0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
};
struct Any : ReductionOp<Reduction::any> {
  static constexpr auto name = "any";
  static constexpr bool differentiable = false;
  static void infer(const Attrs&, Types in, std::span<Type> out);
};
struct All : ReductionOp<Reduction::all> {
  static constexpr auto name = "all";
  static constexpr bool differentiable = false;
  static void infer(const Attrs&, Types in, std::span<Type> out);
};

struct ArgReduceAttrs {
  int axis;
  void each(auto&& f) const { f("axis", axis); }
};
struct ArgMax {
  static constexpr auto name = "argmax";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool differentiable = false;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b) { b.apply(ArgReduceAttrs{b.attrs<ArgReduceAttrs>().axis + 1}); }
};
struct ArgMin {
  static constexpr auto name = "argmin";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool differentiable = false;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b) { b.apply(ArgReduceAttrs{b.attrs<ArgReduceAttrs>().axis + 1}); }
};

}  // namespace weft
