// cast: elementwise, from one element type to another.
#pragma once

#include "elementwise.h"

namespace weft {

struct CastAttrs {
  DType dtype;
  void each(auto&& f) const { f("dtype", dtype); }
};

struct Cast {
  static constexpr auto name = "cast";
  static constexpr OpKind kind = OpKind::elementwise;
  static constexpr std::uint32_t reads = reads::types;
  static constexpr std::uint32_t linear = linear::in0;
  static void infer(const Attrs& attrs, Types in, std::span<Type> out) {
    out[0] = {attrs.as<CastAttrs>().dtype, in[0]->shape};
  }
  static void run(const Attrs&, Views in, Views out) { copy_elements(in[0], out[0]); }
  static Formula formula(const Attrs& attrs, Types in);
  static void vjp(Backward& b) {
    if (is_floating(b.in_type().dtype)) b.give(0, cast(b.grad(), b.in_type().dtype));
  }
};

}  // namespace weft
