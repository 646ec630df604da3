// Checks of values.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../check.h"
#include "../forward.h"

namespace weft {

struct AssertFinite {
  static constexpr auto name = "assert_finite";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b) { b.give(0, b.grad()); }
  static void jvp(Forward& f) { f.give(0, f.tangent()); }
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

}  // namespace weft
