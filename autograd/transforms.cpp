#include "transforms.h"

#include <fmt/format.h>

#include <algorithm>

#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/closure.h"
#include "../ops/defs/shape.h"
#include "../ops/forward.h"
#include "../ops/math.h"

namespace weft {
namespace {
using Tensors = std::vector<Tensor>;
}  // namespace

Tensor detail::another(const Tensor& t) {
  return t.defined() ? apply<Reshape>({t}, ShapeAttrs{t.shape()}) : t;  // a view
}

void detail::check_loss(const Tensor& loss) {
  if (!loss.defined()) throw GradError("the loss is undefined");
  if (!is_floating(loss.dtype())) throw DTypeError(fmt::format("the loss is {}, not a float", loss.type().text()));
  if (loss.size() != 1)
    throw GradError(fmt::format("the loss is {}, not one number", loss.type().text()),
                    "sum() or mean() it; vjp() and jacobian() take functions of many results");
}

// ---- linearize ----
detail::Linearizer::Linearizer(Tensors primals) : primals_(std::move(primals)) {
  for (const Tensor& t : primals_)
    if (t.defined() && is_floating(t.dtype())) known_.insert(t.id());
  if (known_.empty()) throw DTypeError("a derivative with respect to arguments without floats");
  push_recorder(this);
}

detail::Linearizer::~Linearizer() { pop_recorder(this); }

void detail::Linearizer::record(const Op& op, const Attrs& attrs, std::span<const Tensor> in,
                                std::span<const Tensor> out) {
  if (!op.differentiable ||
      std::none_of(in.begin(), in.end(), [&](const Tensor& t) { return known_.contains(t.id()); }))
    return;
  for (const Tensor& t : out)
    if (is_floating(t.dtype())) known_.insert(t.id());
  steps_.push_back({&op, attrs, SiteScope::current(), {in.begin(), in.end()}, {out.begin(), out.end()}});
}

namespace {

// The tangents of the results, in the trace of which dx are inputs.
template <class Steps> Tensors tangents_of(const Steps& steps, const Tensors& primals, std::span<const Tensor> dx,
                                           std::span<const Tensor> results) {
  std::unordered_map<std::uint64_t, Tensor> tangents;
  for (std::size_t i = 0; i < primals.size(); ++i)
    if (is_floating(primals[i].dtype())) tangents[primals[i].id()] = dx[i];
  const auto find = [&](const Tensor& t) {
    const auto it = tangents.find(t.id());
    return it == tangents.end() ? Tensor() : it->second;
  };
  for (const auto& step : steps) {
    const SiteScope site(step.site);
    Tensors in;
    for (const Tensor& t : step.in) in.push_back(find(t));
    if (std::none_of(in.begin(), in.end(), [](const Tensor& t) { return t.defined(); })) continue;
    const Tensors out = detail::push_forward(*step.op, step.attrs, step.in, step.out, in);
    for (std::size_t k = 0; k < out.size(); ++k)
      if (out[k].defined()) tangents[step.out[k].id()] = out[k];
  }
  Tensors list;
  for (const Tensor& t : results) {
    list.push_back(find(t));
    if (!list.back().defined()) list.back() = detail::zeros_like(t);
  }
  return list;
}

// A closure's graph in two: what depends on its arguments, and what that takes from the rest.
struct Split {
  std::shared_ptr<const Graph> still;   // of the captured tensors
  std::shared_ptr<const Graph> moving;  // of the arguments, then of still's outputs
};

Split split(const Closure& c) {
  const Graph& graph = *c.graph;
  std::vector<bool> moves(graph.values.size());
  for (std::size_t i = 0; i < c.arguments; ++i) moves[graph.inputs[i]] = true;
  for (const Graph::Node& n : graph.nodes)
    for (int k = 0; k < n.outputs; ++k)
      moves[n.out + static_cast<ValueId>(k)] =
          std::any_of(n.in.begin(), n.in.end(), [&](ValueId v) { return moves[v]; });

  GraphCopy still(graph), moving(graph);
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) (i < c.arguments ? moving : still).input(graph.inputs[i]);
  for (const Graph::Node& n : graph.nodes)
    if (!moves[n.out]) still.node(n);
  const auto take = [&](ValueId v) {
    if (moves[v] || moving.has(v) || graph.values[v].kind == Graph::Value::constant) return;
    still.to.outputs.push_back(still(v));
    moving.input(v);
  };
  for (const Graph::Node& n : graph.nodes)
    if (moves[n.out]) std::for_each(n.in.begin(), n.in.end(), take);
  std::for_each(graph.outputs.begin(), graph.outputs.end(), take);
  for (const Graph::Node& n : graph.nodes)
    if (moves[n.out]) moving.node(n);
  for (const ValueId v : graph.outputs) moving.to.outputs.push_back(moving(v));
  return {std::make_shared<const Graph>(without_dead_nodes(still.to)),
          std::make_shared<const Graph>(std::move(moving.to))};
}

}  // namespace

detail::PushForward detail::Linearizer::push_forward(std::span<const Tensor> results) {
  pop_recorder(this);
  const std::vector<Type> types = types_of(primals_);
  const Closure c =
      close_over(types, [&](std::span<const Tensor> dx) { return tangents_of(steps_, primals_, dx, results); });
  const Split parts = split(c);
  return [types, moving = parts.moving, held = replay(*parts.still, c.captured)](std::span<const Tensor> tangents) {
    if (tangents.size() != types.size())
      throw ArgumentError(fmt::format("{} tangents for {} primals", tangents.size(), types.size()));
    Tensors in(tangents.begin(), tangents.end());
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!in[i].defined()) in[i] = broadcast_to(Arg(0).tensor(types[i].dtype), types[i].shape);
      const std::string rule = fmt::format("the tangent is {}, its primal {}", in[i].type().text(), types[i].text());
      if (in[i].dtype() != types[i].dtype) throw DTypeError(rule);
      if (in[i].shape() != types[i].shape) throw ShapeError(rule);
    }
    in.insert(in.end(), held.begin(), held.end());
    return replay(*moving, in);
  };
}

// ---- custom_jvp ----
namespace {

struct CustomForwardAttrs {
  std::shared_ptr<const detail::CustomForward> rule;
  void each(auto&& f) const { f("rule", rule); }
};

Tensors run_rule(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> tangents, int outputs) {
  Tensors given = attrs.as<CustomForwardAttrs>().rule->rule(in, tangents);
  if (static_cast<int>(given.size()) != outputs)
    throw GradError(fmt::format("the rule gives {} tangents for {} results", given.size(), outputs));
  return given;
}

void custom_forward(Forward& f) {
  Tensors in, tangents;
  for (int i = 0; i < f.inputs(); ++i) {
    in.push_back(f.in(i));
    tangents.push_back(is_floating(in.back().dtype()) ? f.tangent(i) : Tensor());
  }
  const Tensors given = run_rule(f.attributes(), in, tangents, f.outputs());
  for (int k = 0; k < f.outputs(); ++k) f.give(k, given[static_cast<std::size_t>(k)]);
}

// The rule is linear in the tangents: its own pull-back, at any of them, is the pull-back.
void custom_backward(Backward& b) {
  GradientTape tape({.persistent = false, .watch_accessed_variables = false});
  Tensors in, tangents, targets, seeds;
  for (int i = 0; i < b.inputs(); ++i) {
    in.push_back(b.in(i));
    tangents.push_back(is_floating(in.back().dtype()) ? detail::zeros_like(in.back()) : Tensor());
    if (b.wants(i)) tape.watch(tangents.back());
  }
  const Tensors given = run_rule(b.attributes(), in, tangents, b.outputs());
  for (int k = 0; k < b.outputs(); ++k) {
    if (!b.has_grad(k) || !given[static_cast<std::size_t>(k)].defined()) continue;
    targets.push_back(given[static_cast<std::size_t>(k)]);
    seeds.push_back(b.grad(k));
  }
  const Tensors gradients = tape.gradient(targets, tangents, GradientOptions{.output_gradients = seeds});
  for (int i = 0; i < b.inputs(); ++i) b.give(i, gradients[static_cast<std::size_t>(i)]);
}

// It never passes the door: what it stands for has run already.
const Op custom_forward_op = [] {
  Op op;
  op.name = "custom_jvp";
  op.reads = ~reads::types;
  op.vjp = custom_backward;
  op.jvp = custom_forward;
  return op;
}();

}  // namespace

void detail::record_custom_jvp(const std::shared_ptr<const CustomForward>& rule, std::span<const Tensor> in,
                               std::span<const Tensor> out, const std::source_location& site) {
  const SiteScope scope(site);
  const Attrs attrs = CustomForwardAttrs{rule};
  each_recorder([&](Recorder& r) { r.record(custom_forward_op, attrs, in, out); });
}

}  // namespace weft
