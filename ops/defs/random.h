// The random ops: uniform numbers from a generator's state, and what no function of a fixed number of them gives.
#pragma once

#include "../batching.h"

namespace weft {

namespace random {
class Generator;
}

struct UniformAttrs {
  DType dtype;
  Shape shape;
  void each(auto&& f) const { f("dtype", dtype), f("shape", shape); }
};

/// From a generator's state, i64[2] (key, counter), the first operand; the second output is the state after it.
struct DrawBase {
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr int outputs = 2;
  static constexpr bool draws = true;

  /// DTypeError unless it is f32 or f64.
  static void check_numbers(DType dtype);
  /// Both outputs' types: `numbers`, f32 or f64, and the state's.
  static void infer_draw(const Type& state, const Type& numbers, std::span<Type> out);
  /// The numbers of one of these ops, whose operands after the state are given; the generator goes on.
  static Tensor draw(const Op& op, const Attrs& attrs, std::span<const Tensor> operands, random::Generator& generator);
  /// A key and the first of the blocks that belong to a draw.
  struct Blocks {
    std::uint64_t key, first;
  };
  /// Takes so many: `next` is the state after them.
  static Blocks advance(const View& state, const View& next, std::int64_t blocks);
};

/// [0, 1) from i64[2] (key, counter): element i of f32 takes word i, of f64 words 2i and 2i + 1, four words a block.
/// The second output is the state after it.
struct Uniform : DrawBase {
  static constexpr auto name = "uniform";
  static constexpr bool differentiable = false;
  static constexpr auto operand_names = "state";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b);
};

/// Gamma of each concentration, scale 1, from i64[2] (key, counter): element i takes the blocks of counter + i whose
/// high words are not 0, as many as it needs; Uniform takes those of 0. NaN unless 0 < concentration < inf. The second
/// output is the state after it. The gradient for the concentration moves a draw along its quantile: see gamma_slope.h.
struct StandardGamma : DrawBase {
  static constexpr auto name = "standard_gamma";
  static constexpr auto operand_names = "state concentration";
  static constexpr std::uint32_t reads = reads::in1 | reads::out0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

}  // namespace weft
