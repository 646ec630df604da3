#include "linearize.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "../ops/forward.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../ops/mismatch.h"

namespace weft {
namespace {
using Tensors = std::vector<Tensor>;
}  // namespace

void detail::check_floats(std::span<const Tensor> primals) {
  if (std::none_of(primals.begin(), primals.end(),
                   [](const Tensor& t) { return t.defined() && is_floating(t.dtype()); }))
    throw DTypeError("a derivative with respect to arguments without floats");
}

detail::Linearizer::Linearizer(Tensors primals) : primals_(std::move(primals)) {
  check_floats(primals_);
  for (const Tensor& t : primals_)
    if (t.defined() && is_floating(t.dtype())) known_.insert(t.id());
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
  steps_.push_back({&op, attrs, SiteScope::origin(), {in.begin(), in.end()}, {out.begin(), out.end()}});
}

void detail::Linearizer::stop() { pop_recorder(this); }

Tensors detail::Linearizer::tangents(std::span<const Tensor> dx, std::span<const Tensor> results) const {
  std::unordered_map<std::uint64_t, Tensor> tangents;
  for (std::size_t i = 0; i < primals_.size(); ++i)
    if (is_floating(primals_[i].dtype())) tangents[primals_[i].id()] = dx[i];
  const auto find = [&](const Tensor& t) {
    const auto it = tangents.find(t.id());
    return it == tangents.end() ? Tensor() : it->second;
  };
  for (const Step& step : steps_) {
    const ReplayedSite site(step.site);
    Tensors in;
    for (const Tensor& t : step.in) in.push_back(find(t));
    if (std::none_of(in.begin(), in.end(), [](const Tensor& t) { return t.defined(); })) continue;
    const Tensors out = detail::push_forward(*step.op, step.attrs, step.in, step.out, in);
    for (std::size_t k = 0; k < out.size(); ++k)
      if (out[k].defined()) tangents[step.out[k].id()] = out[k];
  }
  Tensors list;
  for (const Tensor& t : results) list.push_back(find(t));
  return list;
}

namespace {

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
    for (const ValueId out : n.values())
      moves[out] = std::any_of(n.in.begin(), n.in.end(), [&](ValueId v) { return moves[v]; });

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

detail::PushForward detail::Linearizer::push_forward(std::span<const Tensor> results) const {
  const std::vector<Type> types = types_of(primals_);
  const Closure c = close_over(types, [&](std::span<const Tensor> dx) {
    Tensors list = tangents(dx, results);
    for (std::size_t k = 0; k < list.size(); ++k)
      if (!list[k].defined()) list[k] = zeros_like(results[k]);
    return list;
  });
  const Split parts = split(c);
  return [types, moving = parts.moving, held = replay(*parts.still, c.captured)](std::span<const Tensor> tangents) {
    if (tangents.size() != types.size())
      throw ArgumentError(fmt::format("{} tangents for {} primals", tangents.size(), types.size()));
    Tensors in(tangents.begin(), tangents.end());
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!in[i].defined()) in[i] = broadcast_to(Arg(0).tensor(types[i].dtype), types[i].shape);
      detail::check_same_type(in[i].type(), types[i], [&] {
        return fmt::format("the tangent is {}, its primal {}", in[i].type().text(), types[i].text());
      });
    }
    in.insert(in.end(), held.begin(), held.end());
    return replay(*moving, in);
  };
}

}  // namespace weft
