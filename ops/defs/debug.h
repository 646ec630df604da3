// debug::print as an op: a check that never fails, so that it stays where it is in compiled code.
#pragma once

#include <memory>
#include <string>

#include "../backward.h"
#include "../batching.h"
#include "../debug.h"

namespace weft {

struct PrintAttrs {
  struct Label {
    std::string label, site;
    std::string text() const { return label; }
  };
  std::shared_ptr<const Label> label;  // one a call, so two calls are never one
  void each(auto&& f) const { f("label", label); }
};

struct Print {
  static constexpr auto name = "print";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool checks = true, effect = true;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static void run(const Attrs& attrs, Views in, Views out);
  static void vjp(Backward& b) { b.give(0, b.grad()); }
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

}  // namespace weft
