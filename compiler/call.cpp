#include "call.h"

#include <fmt/format.h>

#include "../autograd/graph_gradient.h"
#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/closure.h"
#include "../ops/define.h"
#include "../ops/recorder.h"
#include "../ops/trace.h"
#include "executable.h"

namespace weft {
namespace {

struct CallAttrs {
  std::shared_ptr<const Callee> callee;
  void each(auto&& f) const { f("callee", callee); }
};

struct Call {
  static constexpr auto name = "call";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = ~reads::types;  // what it needs of them differs by callee
  static constexpr bool checks = true;

  static void infer(const Attrs& attrs, Types, std::span<Type> out) {
    const Graph& graph = attrs.as<CallAttrs>().callee->graph();
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = graph.type(graph.outputs[k]);
  }
  static void run(const Attrs& attrs, Views in, Views out) { attrs.as<CallAttrs>().callee->run(in, out); }
  static void vjp(Backward& b) {
    std::vector<bool> has_grad, wants;
    for (int k = 0; k < b.outputs(); ++k) has_grad.push_back(b.has_grad(k));
    for (int k = 0; k < b.inputs(); ++k) wants.push_back(b.wants(k));
    const Callee::Backward& rule = b.attrs<CallAttrs>().callee->backward(has_grad, wants);
    for (int k = 0; k < b.inputs(); ++k) b.give(k, {});  // there may be none, and that is an answer
    if (!rule.callee) return;
    std::vector<Tensor> in;
    for (const std::size_t k : rule.from_in) in.push_back(b.in(static_cast<int>(k)));
    for (const std::size_t k : rule.from_out) in.push_back(b.out(static_cast<int>(k)));
    for (const std::size_t k : rule.from_grad) in.push_back(b.grad(static_cast<int>(k)));
    const std::vector<Tensor> gradients = call(rule.callee, in);
    for (std::size_t k = 0; k < rule.gives.size(); ++k) b.give(static_cast<int>(rule.gives[k]), gradients[k]);
  }
};

// A function and its gradient in one graph. Its inputs: the function's, then the cotangents of some outputs.
struct Joint {
  Graph graph;
  std::vector<ValueId> outputs;    // the function's, as values of this graph
  std::vector<ValueId> gradients;  // by wanted input
  std::vector<std::size_t> gives;  // for which input; those without a gradient are left out
  std::vector<bool> backward;      // by value: depends on a cotangent
};

Joint differentiate(const Graph& function, const std::vector<bool>& has_grad, const std::vector<bool>& wants) {
  Joint j;
  Trace trace;
  std::vector<Tensor> in, cotangents;
  for (const ValueId v : function.inputs) in.push_back(trace.add_input(function.type(v)));
  for (std::size_t k = 0; k < function.outputs.size(); ++k)
    cotangents.push_back(has_grad[k] ? trace.add_input(function.type(function.outputs[k])) : Tensor());
  GraphGradient g;
  {
    const TraceScope scope(&trace);
    g = graph_gradient(function, in, cotangents, wants, Unconnected::none);
  }
  for (const Tensor& t : g.outputs) j.outputs.push_back(trace.value_of(t));
  for (std::size_t k = 0; k < g.gradients.size(); ++k) {
    if (!g.gradients[k].defined()) continue;
    j.gradients.push_back(trace.value_of(g.gradients[k]));
    j.gives.push_back(k);
  }
  j.graph = std::move(trace.graph);
  j.backward.resize(j.graph.values.size());
  for (std::size_t k = in.size(); k < j.graph.inputs.size(); ++k) j.backward[j.graph.inputs[k]] = true;
  for (const Graph::Node& n : j.graph.nodes) {
    bool depends = false;
    for (const ValueId v : n.in) depends |= j.backward[v];
    for (int k = 0; k < n.outputs; ++k) j.backward[n.out + static_cast<ValueId>(k)] = depends;
  }
  return j;
}

// What a view shows is as good as the view, and need not be copied.
ValueId shown(const Graph& g, ValueId v) {
  for (;;) {
    const Graph::Node* n = g.producer(v);
    if (!n || n->op->kind != OpKind::view) return v;
    v = n->in[0];
  }
}

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::Call);

namespace weft {

Callee::Callee(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {}
Callee::~Callee() = default;

std::string Callee::text() const { return fmt::format("function of {} nodes", graph_->nodes.size()); }

void Callee::run(Views in, Views out) const {
  {
    const std::lock_guard lock(mutex_);
    if (!executable_)
      executable_ = std::make_unique<Executable>(*graph_, in.size(), out.size(), std::vector<std::size_t>{});
  }
  executable_->run(in, out);
}

std::shared_ptr<const Callee> Callee::with_residuals() const {
  const std::lock_guard lock(mutex_);
  if (with_residuals_) return with_residuals_;
  std::vector<bool> has_grad, wants;
  for (const ValueId v : graph_->outputs) has_grad.push_back(is_floating(graph_->type(v).dtype));
  for (const ValueId v : graph_->inputs) wants.push_back(is_floating(graph_->type(v).dtype));
  Joint j = differentiate(*graph_, has_grad, wants);
  std::vector<bool> known(j.graph.values.size());
  for (const ValueId v : j.outputs) known[v] = true;
  std::vector<ValueId> outputs = j.outputs;
  const auto need = [&](ValueId v) {
    if (j.backward[v]) return;
    v = shown(j.graph, v);
    if (known[v] || j.graph.values[v].kind != Graph::Value::computed) return;
    known[v] = true;
    outputs.push_back(v);
  };
  for (const Graph::Node& n : j.graph.nodes)
    if (j.backward[n.out])
      for (const ValueId v : n.in) need(v);
  for (const ValueId v : j.gradients) need(v);

  GraphCopy copy(j.graph);
  for (std::size_t k = 0; k < graph_->inputs.size(); ++k) copy.input(j.graph.inputs[k]);
  for (const Graph::Node& n : j.graph.nodes)
    if (!j.backward[n.out]) copy.node(n);
  for (const ValueId v : outputs) copy.to.outputs.push_back(copy(v));
  return with_residuals_ = std::make_shared<const Callee>(std::make_shared<const Graph>(without_dead_nodes(copy.to)));
}

const Callee::Backward& Callee::backward(const std::vector<bool>& has_grad, const std::vector<bool>& wants) const {
  const std::lock_guard lock(mutex_);
  const auto [it, fresh] = backwards_.try_emplace({has_grad, wants});
  Backward& b = it->second;
  if (!fresh) return b;
  const Joint j = differentiate(*graph_, has_grad, wants);
  if (j.gradients.empty()) return b;

  // Backwards from the gradients: values that the forward gave, and nodes for the rest.
  std::vector<bool> needed(j.graph.values.size()), keep(j.graph.nodes.size());
  std::vector<std::size_t> given(j.graph.values.size(), SIZE_MAX);
  for (std::size_t k = j.outputs.size(); k-- > 0;) given[j.outputs[k]] = k;
  const auto from_forward = [&](ValueId v) {
    return !j.backward[v] && given[v] != SIZE_MAX && j.graph.values[v].kind == Graph::Value::computed;
  };
  for (const ValueId v : j.gradients) needed[v] = true;
  for (std::size_t i = j.graph.nodes.size(); i-- > 0;) {
    const Graph::Node& n = j.graph.nodes[i];
    for (int k = 0; k < n.outputs; ++k) {
      const ValueId v = n.out + static_cast<ValueId>(k);
      keep[i] = keep[i] || (needed[v] && !from_forward(v));
    }
    if (keep[i])
      for (const ValueId v : n.in) needed[v] = true;
  }
  GraphCopy copy(j.graph);
  const std::size_t inputs = graph_->inputs.size();
  for (std::size_t k = 0; k < inputs; ++k) {
    if (!needed[j.graph.inputs[k]]) continue;
    copy.input(j.graph.inputs[k]);
    b.from_in.push_back(k);
  }
  std::vector<bool> taken(j.graph.values.size());
  for (std::size_t k = 0; k < j.outputs.size(); ++k) {
    const ValueId v = j.outputs[k];
    if (!needed[v] || !from_forward(v) || taken[v]) continue;
    taken[v] = true;
    copy.input(v);
    b.from_out.push_back(k);
  }
  std::size_t next = inputs;
  for (std::size_t k = 0; k < has_grad.size(); ++k) {
    if (!has_grad[k]) continue;
    const ValueId v = j.graph.inputs[next++];
    if (!needed[v]) continue;
    copy.input(v);
    b.from_grad.push_back(k);
  }
  for (std::size_t i = 0; i < j.graph.nodes.size(); ++i)
    if (keep[i]) copy.node(j.graph.nodes[i]);
  for (const ValueId v : j.gradients) copy.to.outputs.push_back(copy(v));
  b.gives = j.gives;
  b.callee = std::make_shared<const Callee>(std::make_shared<const Graph>(std::move(copy.to)));
  return b;
}

std::vector<Tensor> call(const std::shared_ptr<const Callee>& callee, std::span<const Tensor> in) {
  if (active_tracer()) return replay(callee->graph(), in);
  const std::size_t results = callee->graph().outputs.size();
  const auto used = active_recorders().empty() ? callee : callee->with_residuals();
  std::vector<Tensor> out(used->graph().outputs.size());
  apply(op_of<Call>(), CallAttrs{used}, in, out);
  out.resize(results);
  return out;
}

}  // namespace weft
