// Cumulative sums and their kin.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../cumulative.h"
#include "../forward.h"

namespace weft {

struct CumulativeAttrs {
  int axis;
  bool reverse;
  void each(auto&& f) const { f("axis", axis), f("reverse", reverse); }
};

struct Cumulative {
  static constexpr OpKind kind = OpKind::kernel;
  static void infer(const Attrs&, Types in, std::span<Type> out);  // all operands of one type
  static void batch(Batching& b) {
    const auto& [axis, reverse] = b.attrs<CumulativeAttrs>();
    b.apply(CumulativeAttrs{axis + 1, reverse});
  }
};

struct CumSum : Cumulative {
  static constexpr auto name = "cumsum";
  static constexpr std::uint32_t linear = linear::in0;
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};
struct CumProd : Cumulative {
  static constexpr auto name = "cumprod";
  static constexpr std::uint32_t reads = reads::in0 | reads::out0;
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
};
struct LinearRecurrence : Cumulative {
  static constexpr auto name = "linear_recurrence";
  static constexpr auto operand_names = "a b";
  static constexpr std::uint32_t reads = reads::in0 | reads::out0;
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
};

struct CumArgMax : Cumulative {
  static constexpr auto name = "cumargmax";
  static constexpr bool differentiable = false;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
};
struct CumArgMin : Cumulative {
  static constexpr auto name = "cumargmin";
  static constexpr bool differentiable = false;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
};

}  // namespace weft
