// The one random op: uniform numbers from a generator's state.
#pragma once

#include "../batching.h"

namespace weft {

struct UniformAttrs {
  DType dtype;
  Shape shape;
  void each(auto&& f) const { f("dtype", dtype), f("shape", shape); }
};

/// [0, 1) from i64[2] (key, counter): element i of f32 takes word i, of f64 words 2i and 2i + 1, four words a block.
/// The second output is the state after it.
struct Uniform {
  static constexpr auto name = "uniform";
  static constexpr auto operand_names = "state";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr int outputs = 2;
  static constexpr bool differentiable = false;
  static constexpr bool draws = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b);
};

}  // namespace weft
