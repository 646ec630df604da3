// The matrix product, and cast.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../forward.h"
#include "../linalg.h"
#include "../math.h"
#include "../transposing.h"
#include "elementwise.h"

namespace weft {

struct MatMul {
  static constexpr auto name = "matmul";
  static constexpr auto operand_names = "lhs rhs";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::in0 | reads::in1;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static OpWork work(const Attrs&, Types in, Types out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
  static void transposed(Transposing& t);
};

}  // namespace weft
