// Attention and its gradient, both panels of queries: see ../attention.cpp.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../transposing.h"

namespace weft {

struct AttentionAttrs {
  double scale;
  bool causal;
  bool heads_inside = false;  // results are [..., T, H, D] in place of [..., H, T, D]
  void each(auto&& f) const { f("scale", scale), f("causal", causal), f("heads_inside", heads_inside); }
};

/// query [..., Tq, D], key [..., Tk, D], value [..., Tk, E] and, if there is one, mask bool[..., Tq, Tk], all of the
/// same axes before, to the result [..., Tq, E] and the logarithm of each query's sum of weights, [..., Tq]: -inf where
/// it sees no key.
struct Attention {
  static constexpr auto name = "attention";
  static constexpr auto operand_names = "query key value mask";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr int outputs = 2;
  static constexpr std::uint32_t reads = reads::in0 | reads::in1 | reads::in2 | reads::in3 | reads::out0 | reads::out1;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static OpWork work(const Attrs&, Types in, Types out);
  static void vjp(Backward& b);
  static void batch(Batching& b) { b.apply(b.attributes()); }
  static void transposed(Transposing& t);
};

/// query, key, value, the cotangent g of the result, delta [..., Tq], the logarithms l [..., Tq], mask. With the
/// weights P = e^(scale query key^T - l), 0 where a query does not see a key, and E = P (g value^T - delta), it gives
/// scale E key, scale E^T query and P^T g: attention's gradient, if delta is the sum of g times the result.
struct AttentionGradient {
  static constexpr auto name = "attention_gradient";
  static constexpr auto operand_names = "query key value grad delta log mask";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr int outputs = 3;
  static constexpr std::uint32_t reads = reads::inputs;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static OpWork work(const Attrs&, Types in, Types out);
  static void vjp(Backward& b);
  static void batch(Batching& b) { b.apply(b.attributes()); }
  static void transposed(Transposing& t);
};

}  // namespace weft
