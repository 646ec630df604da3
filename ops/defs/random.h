// The random ops: uniform numbers from a generator's state, and what no function of a fixed number of them gives.
#pragma once

#include "../batching.h"

namespace weft {

struct UniformAttrs {
  DType dtype;
  Shape shape;
  void each(auto&& f) const { f("dtype", dtype), f("shape", shape); }
};

/// From a generator's state, i64[2] (key, counter), the first operand; the second output is the state after it.
struct DrawBase {
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr int outputs = 2;
  static constexpr bool differentiable = false;
  static constexpr bool draws = true;
};

/// [0, 1) from i64[2] (key, counter): element i of f32 takes word i, of f64 words 2i and 2i + 1, four words a block.
/// The second output is the state after it.
struct Uniform : DrawBase {
  static constexpr auto name = "uniform";
  static constexpr auto operand_names = "state";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b);
};

/// Gamma of each concentration, scale 1, from i64[2] (key, counter): element i takes the blocks of counter + i whose
/// high words are not 0, as many as it needs; Uniform takes those of 0. NaN unless 0 < concentration < inf. The second
/// output is the state after it.
struct StandardGamma : DrawBase {
  static constexpr auto name = "standard_gamma";
  static constexpr auto operand_names = "state concentration";
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b);
};

}  // namespace weft
