#include "recompute.h"

#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/batching.h"
#include "../ops/define.h"
#include "../ops/forward.h"
#include "../ops/inlined.h"
#include "graph_gradient.h"

namespace weft {
namespace {

using Tensors = std::vector<Tensor>;

// Its first operand, once the others are there. What is computed from it compiled code neither shares with what is
// computed from that operand itself, nor runs before the others.
struct Barrier {
  static constexpr auto name = "barrier";
  static constexpr OpKind kind = OpKind::view;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static bool view(const Attrs&, const View& in, View& out) {
    out = in;
    return true;
  }
  static void vjp(Backward& b) { b.give(0, b.grad()); }
  static void jvp(Forward& f) {
    if (f.has_tangent(0)) f.give(0, f.tangent(0));
  }
  static void batch(Batching& b);
};

struct RecomputeAttrs {
  std::shared_ptr<const Graph> graph;
  void each(auto&& f) const { f("graph", graph); }
};

struct Recompute : Inlined<RecomputeAttrs> {
  static constexpr auto name = "recompute";
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::Barrier);
WEFT_DEFINE_OP(weft::Recompute);

namespace weft {

void Barrier::batch(Batching& b) {
  Tensors in;
  for (int i = 0; i < b.inputs(); ++i) in.push_back(b.in(i));
  b.give(0, weft::apply(op_of<Barrier>(), {}, in), b.batched(0));
}

// Its inputs wait for the cotangents: the values in between are not there before they are needed.
void Recompute::vjp(Backward& b) {
  Tensors in, cotangents, behind(1);
  std::vector<bool> wants;
  for (int k = 0; k < b.outputs(); ++k) {
    cotangents.push_back(b.has_grad(k) ? b.grad(k) : Tensor());
    if (b.has_grad(k)) behind.push_back(cotangents.back());
  }
  for (int i = 0; i < b.inputs(); ++i) {
    behind[0] = b.in(i);
    in.push_back(apply(op_of<Barrier>(), {}, behind));
    wants.push_back(b.wants(i));
  }
  const GraphGradient g = graph_gradient(*b.attrs<RecomputeAttrs>().graph, in, cotangents, wants, Unconnected::none);
  for (int i = 0; i < b.inputs(); ++i)
    if (b.wants(i)) b.give(i, g.gradients[static_cast<std::size_t>(i)]);
}

void Recompute::jvp(Forward& f) {
  Tensors in, tangents;
  for (int i = 0; i < f.inputs(); ++i) {
    in.push_back(detail::another(f.in(i)));
    tangents.push_back(f.has_tangent(i) ? f.tangent(i) : Tensor());
  }
  const GraphTangents g = graph_tangents(*f.attrs<RecomputeAttrs>().graph, in, tangents);
  for (int k = 0; k < f.outputs(); ++k) f.give(k, g.tangents[static_cast<std::size_t>(k)]);
}

void Recompute::batch(Batching& b) {
  std::vector<Batched> operands;
  Tensors in;
  for (int i = 0; i < b.inputs(); ++i) {
    operands.push_back({b.in(i), b.batched(i)});
    in.push_back(b.in(i));
  }
  const auto [closure, batched] = batch_graph(*b.attrs<RecomputeAttrs>().graph, operands, b.size(), b.active());
  Tensors out(closure.results);
  weft::apply(op_of<Recompute>(), RecomputeAttrs{closure.graph}, closure.inputs(in), out);
  for (std::size_t k = 0; k < out.size(); ++k) b.give(static_cast<int>(k), out[k], batched[k]);
}

Tensors detail::run_recomputed(std::span<const Tensor> args, const TensorFunction& f,
                               const std::source_location& site) {
  for (const Tensor& t : args)
    if (!t.defined()) throw ArgumentError("recompute: an argument is undefined");
  const Closure c = close_over(types_of(args), f);
  const Tensors in = c.inputs(args);
  const SiteScope scope(site);
  Tensors out(c.graph->outputs.size());
  if (out.empty())
    replay(*c.graph, in);
  else
    apply(op_of<Recompute>(), RecomputeAttrs{c.graph}, in, out);
  for (std::size_t k = 0; k < c.assigned.size(); ++k) Variable::handle(c.assigned[k]).assign(out[c.results + k]);
  out.resize(c.results);
  return out;
}

}  // namespace weft
