#include "call.h"

#include <fmt/format.h>

#include "../autograd/graph_gradient.h"
#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/closure.h"
#include "../ops/define.h"
#include "../ops/forward.h"
#include "../ops/recorder.h"
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
    const Callee::Derivative& rule = b.attrs<CallAttrs>().callee->backward(has_grad, wants);
    for (int k = 0; k < b.inputs(); ++k) b.give(k, {});  // there may be none, and that is an answer
    if (!rule.callee) return;
    std::vector<Tensor> in;
    for (const std::size_t k : rule.from_in) in.push_back(b.in(static_cast<int>(k)));
    for (const std::size_t k : rule.from_out) in.push_back(b.out(static_cast<int>(k)));
    for (const std::size_t k : rule.from_d) in.push_back(b.grad(static_cast<int>(k)));
    const std::vector<Tensor> gradients = call(rule.callee, in);
    for (std::size_t k = 0; k < rule.gives.size(); ++k) b.give(static_cast<int>(rule.gives[k]), gradients[k]);
  }
  static void jvp(Forward& f) {
    std::vector<bool> has_tangent;
    for (int k = 0; k < f.inputs(); ++k) has_tangent.push_back(f.has_tangent(k));
    const Callee::Derivative& rule = f.attrs<CallAttrs>().callee->forward(has_tangent);
    if (!rule.callee) return;
    std::vector<Tensor> in;
    for (const std::size_t k : rule.from_in) in.push_back(f.in(static_cast<int>(k)));
    for (const std::size_t k : rule.from_out) in.push_back(f.out(static_cast<int>(k)));
    for (const std::size_t k : rule.from_d) in.push_back(f.tangent(static_cast<int>(k)));
    const std::vector<Tensor> tangents = call(rule.callee, in);
    for (std::size_t k = 0; k < rule.gives.size(); ++k) f.give(static_cast<int>(rule.gives[k]), tangents[k]);
  }
};

// A function and a derivative of it in one graph. Its inputs: the function's, then what the derivative is along: the
// cotangents of some outputs, or the tangents of some inputs.
struct Joint {
  Graph graph;
  std::vector<ValueId> outputs;      // the function's, as values of this graph
  std::vector<ValueId> derivatives;  // those that there are
  std::vector<std::size_t> gives;    // for which input, or output
  std::vector<bool> along;           // by value: depends on a cotangent or tangent
};

// derive(inputs, cotangents or tangents) gives the function's outputs and its derivatives, which may be undefined.
template <class Derive> Joint differentiate(const Graph& function, std::span<const Type> along, Derive&& derive) {
  Joint j;
  const std::size_t inputs = function.inputs.size();
  std::vector<Type> types;
  for (const ValueId v : function.inputs) types.push_back(function.type(v));
  types.insert(types.end(), along.begin(), along.end());
  const Closure c = close_over(
      types,
      [&](std::span<const Tensor> in) {
        auto [outputs, derivatives] = derive(in.first(inputs), in.subspan(inputs));
        for (std::size_t k = 0; k < derivatives.size(); ++k) {
          if (!derivatives[k].defined()) continue;
          outputs.push_back(derivatives[k]);
          j.gives.push_back(k);
        }
        return outputs;
      },
      EqualNodes::kept);
  j.graph = *c.self_contained();
  const auto split = j.graph.outputs.begin() + static_cast<std::ptrdiff_t>(function.outputs.size());
  j.outputs.assign(j.graph.outputs.begin(), split);
  j.derivatives.assign(split, j.graph.outputs.end());
  j.along.resize(j.graph.values.size());
  for (std::size_t k = inputs; k < j.graph.inputs.size(); ++k) j.along[j.graph.inputs[k]] = true;
  for (const Graph::Node& n : j.graph.nodes) {
    bool depends = false;
    for (const ValueId v : n.in) depends |= j.along[v];
    for (const ValueId v : n.values()) j.along[v] = depends;
  }
  return j;
}

// Tensors for those of `has`, undefined for the others.
std::vector<Tensor> placed(std::span<const Tensor> tensors, const std::vector<bool>& has) {
  std::vector<Tensor> list;
  std::size_t next = 0;
  for (const bool h : has) list.push_back(h ? tensors[next++] : Tensor());
  return list;
}
std::vector<Type> types_of(const Graph& graph, std::span<const ValueId> values, const std::vector<bool>& has) {
  std::vector<Type> types;
  for (std::size_t k = 0; k < values.size(); ++k)
    if (has[k]) types.push_back(graph.type(values[k]));
  return types;
}

Joint backward_of(const Graph& function, const std::vector<bool>& has_grad, const std::vector<bool>& wants) {
  return differentiate(function, types_of(function, function.outputs, has_grad),
                       [&](std::span<const Tensor> in, std::span<const Tensor> cotangents) {
                         return graph_gradient(function, in, placed(cotangents, has_grad), wants, Unconnected::none);
                       });
}

Joint forward_of(const Graph& function, const std::vector<bool>& has_tangent) {
  return differentiate(function, types_of(function, function.inputs, has_tangent),
                       [&](std::span<const Tensor> in, std::span<const Tensor> tangents) {
                         return graph_tangents(function, in, placed(tangents, has_tangent));
                       });
}

// By value: the first one that is equal; itself if there is none before.
std::vector<ValueId> first_equals(const Graph& graph) {
  GraphCopy copy(graph, EqualNodes::merged);
  copy.inputs();
  copy.nodes();
  const auto count = static_cast<ValueId>(graph.values.size());
  std::vector<ValueId> first(count), of_merged(copy.to.values.size(), count);
  for (ValueId v = 0; v < count; ++v) {
    first[v] = v;
    if (graph.values[v].kind != Graph::Value::computed) continue;
    ValueId& known = of_merged[copy(v)];
    first[v] = known = std::min(known, v);
  }
  return first;
}

// The derivative alone, of a function with so many inputs; `has` says what it is along.
Callee::Derivative derivative_of(const Joint& j, std::size_t inputs, const std::vector<bool>& has) {
  Callee::Derivative d;
  if (j.derivatives.empty()) return d;

  // Backwards from the derivatives: values that the forward gave, or equal ones, and nodes for the rest.
  const std::vector<ValueId> first = first_equals(j.graph);
  std::vector<bool> needed(j.graph.values.size()), keep(j.graph.nodes.size());
  std::vector<std::size_t> given(j.graph.values.size(), SIZE_MAX);
  for (std::size_t k = j.outputs.size(); k-- > 0;) given[first[j.outputs[k]]] = k;
  const auto from_forward = [&](ValueId v) {
    return !j.along[v] && given[first[v]] != SIZE_MAX && j.graph.values[v].kind == Graph::Value::computed;
  };
  for (const ValueId v : j.derivatives) needed[v] = true;
  for (std::size_t i = j.graph.nodes.size(); i-- > 0;) {
    const Graph::Node& n = j.graph.nodes[i];
    for (const ValueId v : n.values()) keep[i] = keep[i] || (needed[v] && !from_forward(v));
    if (keep[i])
      for (const ValueId v : n.in) needed[v] = true;
  }
  GraphCopy copy(j.graph);
  for (std::size_t k = 0; k < inputs; ++k) {
    if (!needed[j.graph.inputs[k]]) continue;
    copy.input(j.graph.inputs[k]);
    d.from_in.push_back(k);
  }
  std::vector<bool> taken(j.outputs.size());
  for (ValueId v = 0; v < j.graph.values.size(); ++v)
    if (needed[v] && from_forward(v)) taken[given[first[v]]] = true;
  for (std::size_t k = 0; k < j.outputs.size(); ++k) {
    if (!taken[k]) continue;
    copy.input(j.outputs[k]);
    d.from_out.push_back(k);
  }
  for (ValueId v = 0; v < j.graph.values.size(); ++v)
    if (needed[v] && from_forward(v)) copy.set(v, copy(j.outputs[given[first[v]]]));
  std::size_t next = inputs;
  for (std::size_t k = 0; k < has.size(); ++k) {
    if (!has[k]) continue;
    const ValueId v = j.graph.inputs[next++];
    if (!needed[v]) continue;
    copy.input(v);
    d.from_d.push_back(k);
  }
  for (std::size_t i = 0; i < j.graph.nodes.size(); ++i)
    if (keep[i]) copy.node(j.graph.nodes[i]);
  d.gives = j.gives;
  d.callee = std::make_shared<const Callee>(std::make_shared<const Graph>(copy.returning(j.derivatives)));
  return d;
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
    if (!executable_) executable_ = std::make_unique<Executable>(*graph_);
  }
  executable_->run(in, out);
}

std::shared_ptr<const Callee> Callee::with_residuals() const {
  const std::lock_guard lock(mutex_);
  if (with_residuals_) return with_residuals_;
  std::vector<bool> has_grad, wants;
  for (const ValueId v : graph_->outputs) has_grad.push_back(is_floating(graph_->type(v).dtype));
  for (const ValueId v : graph_->inputs) wants.push_back(is_floating(graph_->type(v).dtype));
  const Joint j = backward_of(*graph_, has_grad, wants);
  const std::vector<ValueId> first = first_equals(j.graph);
  std::vector<bool> known(j.graph.values.size());
  for (const ValueId v : j.outputs) known[first[v]] = true;
  std::vector<ValueId> outputs = j.outputs;
  const auto need = [&](ValueId v) {
    if (j.along[v]) return;
    v = shown(j.graph, v);
    if (known[first[v]] || j.graph.values[v].kind != Graph::Value::computed) return;
    known[first[v]] = true;
    outputs.push_back(v);
  };
  for (const Graph::Node& n : j.graph.nodes)
    if (j.along[n.out])
      for (const ValueId v : n.in) need(v);
  for (const ValueId v : j.derivatives) need(v);

  GraphCopy copy(j.graph);
  for (std::size_t k = 0; k < graph_->inputs.size(); ++k) copy.input(j.graph.inputs[k]);
  for (const Graph::Node& n : j.graph.nodes)
    if (!j.along[n.out]) copy.node(n);
  return with_residuals_ =
             std::make_shared<const Callee>(std::make_shared<const Graph>(without_dead_nodes(copy.returning(outputs))));
}

const Callee::Derivative& Callee::backward(const std::vector<bool>& has_grad, const std::vector<bool>& wants) const {
  const std::lock_guard lock(mutex_);
  const std::pair key(has_grad, wants);
  if (const auto it = backwards_.find(key); it != backwards_.end()) return it->second;
  return backwards_[key] = derivative_of(backward_of(*graph_, has_grad, wants), graph_->inputs.size(), has_grad);
}

const Callee::Derivative& Callee::forward(const std::vector<bool>& has_tangent) const {
  const std::lock_guard lock(mutex_);
  if (const auto it = forwards_.find(has_tangent); it != forwards_.end()) return it->second;
  return forwards_[has_tangent] = derivative_of(forward_of(*graph_, has_tangent), graph_->inputs.size(), has_tangent);
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
