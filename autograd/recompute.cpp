#include "recompute.h"

#include <algorithm>

#include "../ops/backward.h"
#include "../ops/forward.h"
#include "graph_gradient.h"

namespace weft {
namespace {

using Tensors = std::vector<Tensor>;

struct RecomputeAttrs {
  std::shared_ptr<const Graph> graph;
  void each(auto&& f) const { f("graph", graph); }
};

void recompute_backward(Backward& b) {
  Tensors in, cotangents;
  std::vector<bool> wants;
  for (int i = 0; i < b.inputs(); ++i) {
    in.push_back(detail::another(b.in(i)));
    wants.push_back(b.wants(i));
  }
  for (int k = 0; k < b.outputs(); ++k) cotangents.push_back(b.has_grad(k) ? b.grad(k) : Tensor());
  const GraphGradient g = graph_gradient(*b.attrs<RecomputeAttrs>().graph, in, cotangents, wants, Unconnected::none);
  for (int i = 0; i < b.inputs(); ++i)
    if (b.wants(i)) b.give(i, g.gradients[static_cast<std::size_t>(i)]);
}

void recompute_forward(Forward& f) {
  Tensors in, tangents;
  for (int i = 0; i < f.inputs(); ++i) {
    in.push_back(detail::another(f.in(i)));
    tangents.push_back(f.has_tangent(i) ? f.tangent(i) : Tensor());
  }
  const ForwardAccumulator acc(in, tangents);
  const Tensors out = acc.jvp(replay(*f.attrs<RecomputeAttrs>().graph, in));
  for (int k = 0; k < f.outputs(); ++k) f.give(k, out[static_cast<std::size_t>(k)]);
}

// It never passes the door: recorders are told of it when its graph has run.
const Op recompute_op = [] {
  Op op;
  op.name = "recompute";
  op.reads = 0xFFFF;  // all inputs
  op.vjp = recompute_backward;
  op.jvp = recompute_forward;
  return op;
}();

}  // namespace

Tensors detail::run_recomputed(std::span<const Tensor> args, const TensorFunction& f,
                               const std::source_location& site) {
  std::vector<Type> types;
  for (const Tensor& t : args) {
    if (!t.defined()) throw ArgumentError("recompute: an argument is undefined");
    types.push_back(t.type());
  }
  const Closure c = close_over(types, f);
  const Tensors in = c.inputs(args);
  Tensors out;
  {
    const TraceScope hidden(active_tracer());
    out = replay(*c.graph, in);
  }
  for (std::size_t k = 0; k < c.assigned.size(); ++k) Variable::handle(c.assigned[k]).assign(out[c.results + k]);
  out.resize(c.results);
  for (std::size_t k = 0; k < out.size(); ++k) {  // results are tensors of their own, to be told from each other
    const auto same = [&](const Tensor& t) { return t.same(out[k]); };
    const auto before = out.begin() + static_cast<std::ptrdiff_t>(k);
    if (std::any_of(in.begin(), in.end(), same) || std::any_of(out.begin(), before, same)) out[k] = unseen(out[k]);
  }
  const SiteScope scope(site);
  const Attrs attrs = RecomputeAttrs{c.graph};
  each_recorder([&](Recorder& r) { r.record(recompute_op, attrs, in, out); });
  return out;
}

}  // namespace weft
