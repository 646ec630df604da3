#include "custom_jvp.h"

#include <fmt/format.h>

#include <algorithm>

#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/batching.h"
#include "../ops/define.h"
#include "../ops/forward.h"
#include "../ops/inlined.h"
#include "../ops/math.h"
#include "custom_gradient.h"
#include "tape.h"

namespace weft {
namespace {

using Tensors = std::vector<Tensor>;

struct CustomForward {
  detail::ForwardRule rule;
  std::size_t results;  // whose tangents it gives; what the function assigns follows them and has none

  Tensors operator()(std::span<const Tensor> in, std::span<const Tensor> tangents) const {
    Tensors given = rule(in, tangents);
    if (given.size() != results)
      throw GradError(fmt::format("the rule gives {} tangents for {} results", given.size(), results));
    return given;
  }
  std::string text() const { return "function"; }
};

struct CustomJvpAttrs {
  std::shared_ptr<const Graph> graph;  // null for what has run already, of which recorders are told
  std::shared_ptr<const CustomForward> rule;
  void each(auto&& f) const { f("graph", graph), f("rule", rule); }
};

// Inputs: the arguments, and in a trace what the function and the rule take from their surroundings.
struct CustomJvp : Inlined<CustomJvpAttrs> {
  static constexpr auto name = "custom_jvp";
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

Attrs attributes(std::shared_ptr<const Graph> graph, detail::ForwardRule rule, std::size_t results) {
  return CustomJvpAttrs{std::move(graph),
                        std::make_shared<const CustomForward>(CustomForward{std::move(rule), results})};
}

// A rule as a graph: from the inputs, then the tangents of the floats among them, to the tangents that it gives.
struct RuleGraph {
  Closure closure;
  std::vector<std::size_t> gives;  // by result of the graph: the tangent of which
};

RuleGraph trace_rule(const CustomForward& rule, const std::vector<Type>& in) {
  RuleGraph made;
  std::vector<Type> types = in;
  for (const Type& t : in)
    if (is_floating(t.dtype)) types.push_back(t);
  made.closure = close_over(types, [&](std::span<const Tensor> x) {
    Tensors tangents, given;
    std::size_t next = in.size();
    for (const Type& t : in) tangents.push_back(is_floating(t.dtype) ? x[next++] : Tensor());
    const Tensors all = rule(x.first(in.size()), tangents);
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (!all[k].defined()) continue;
      made.gives.push_back(k);
      given.push_back(all[k]);
    }
    return given;
  });
  return made;
}

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::CustomJvp);

namespace weft {

void CustomJvp::jvp(Forward& f) {
  Tensors in, tangents;
  for (int i = 0; i < f.inputs(); ++i) {
    in.push_back(f.in(i));
    tangents.push_back(is_floating(in.back().dtype()) ? f.tangent(i) : Tensor());
  }
  const Tensors given = (*f.attrs<CustomJvpAttrs>().rule)(in, tangents);
  for (std::size_t k = 0; k < given.size(); ++k) f.give(static_cast<int>(k), given[k]);
}

// The rule is linear in the tangents: its own pull-back, at any of them, is the pull-back.
void CustomJvp::vjp(Backward& b) {
  GradientTape tape({.persistent = false, .watch_accessed_variables = false});
  Tensors in, tangents, targets, seeds;
  for (int i = 0; i < b.inputs(); ++i) {
    in.push_back(b.in(i));
    tangents.push_back(is_floating(in.back().dtype()) ? detail::zeros_like(in.back()) : Tensor());
    if (b.wants(i)) tape.watch(tangents.back());
  }
  const Tensors given = (*b.attrs<CustomJvpAttrs>().rule)(in, tangents);
  for (std::size_t k = 0; k < given.size(); ++k) {
    if (!b.has_grad(static_cast<int>(k)) || !given[k].defined()) continue;
    targets.push_back(given[k]);
    seeds.push_back(b.grad(static_cast<int>(k)));
  }
  const Tensors gradients = tape.gradient(targets, tangents, GradientOptions{.output_gradients = seeds});
  for (int i = 0; i < b.inputs(); ++i) b.give(i, gradients[static_cast<std::size_t>(i)]);
}

void CustomJvp::batch(Batching& b) {
  const auto& attrs = b.attrs<CustomJvpAttrs>();
  std::vector<Batched> operands;
  Tensors in;
  for (int i = 0; i < b.inputs(); ++i) {
    operands.push_back({b.in(i), b.batched(i)});
    in.push_back(b.in(i));
  }
  // A result may be the same for all examples, and its tangent not.
  const std::size_t results = attrs.rule->results;
  const auto [closure, batched] =
      batch_graph(*attrs.graph, operands, b.size(), b.active(), [&](std::size_t k) { return k < results; });
  const auto rule = [one = attrs.rule, operands, size = b.size()](std::span<const Tensor> x,
                                                                  std::span<const Tensor> dx) {
    std::vector<Batched> all;
    std::vector<Type> types;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const Shape& s = x[i].shape();
      types.push_back({x[i].dtype(), operands[i].batched ? Shape(std::span(s.begin() + 1, s.end())) : s});
      all.push_back({x[i], operands[i].batched});
    }
    for (std::size_t i = 0; i < operands.size(); ++i)
      if (dx[i].defined()) all.push_back({dx[i], operands[i].batched});
    const RuleGraph g = trace_rule(*one, types);
    for (const Tensor& t : g.closure.captured) all.push_back({t, false});
    const std::vector<Batched> given = replay_batched(*g.closure.graph, all, size);
    Tensors tangents(one->results);
    for (std::size_t k = 0; k < g.gives.size(); ++k) tangents[g.gives[k]] = batch_in_front(given[k], size);
    return tangents;
  };
  in = closure.inputs(in);
  Tensors out(closure.results);
  weft::apply(op_of<CustomJvp>(), attributes(closure.graph, rule, results), in, out);
  for (std::size_t k = 0; k < out.size(); ++k) b.give(static_cast<int>(k), out[k], batched[k]);
}

Tensors detail::run_custom_jvp(std::span<const Tensor> in, const TensorFunction& f, ForwardRule rule,
                               const std::source_location& site) {
  Tensors out, operands(in.begin(), in.end());
  if (!active_tracer()) {
    {
      const TraceScope hidden(nullptr);  // the rule stands for what f does
      const VariableReads reads;
      for (const Tensor& t : f(in)) out.push_back(unseen(t));
      reads.check(in);
    }
    const SiteScope scope(site);
    const Attrs attrs = attributes(nullptr, std::move(rule), out.size());
    each_recorder([&](Recorder& r) { r.record(op_of<CustomJvp>(), attrs, in, out); });
    return out;
  }
  const std::vector<Type> types = types_of(in);
  const auto read_by_f = [&] {
    const VariableReads reads;
    Closure c = close_over(types, f);
    reads.check(in);
    return c;
  };
  const Closure c = read_by_f();
  operands = c.inputs(in);
  const std::size_t results = c.results, arguments = in.size(), first = operands.size();
  // The rule as a graph, for the tensors that it uses end with the trace.
  RuleGraph g;
  std::exception_ptr failure;  // what the rule threw: thrown again if a derivative is asked for
  try {
    g = trace_rule({std::move(rule), results}, types);
  } catch (...) { failure = std::current_exception(); }
  operands.insert(operands.end(), g.closure.captured.begin(), g.closure.captured.end());
  auto graph = std::make_shared<Graph>(*c.graph);
  for (const Tensor& t : g.closure.captured) graph->add_input(t.type());
  const auto replayed = [g, failure, results, arguments, first](std::span<const Tensor> x, std::span<const Tensor> dx) {
    if (failure) std::rethrow_exception(failure);
    Tensors all(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(arguments)), tangents(results);
    for (const Tensor& t : dx.first(arguments))
      if (t.defined()) all.push_back(t);
    const auto captured = x.subspan(first, g.closure.captured.size());
    all.insert(all.end(), captured.begin(), captured.end());
    const Tensors given = replay(*g.closure.graph, all);
    for (std::size_t k = 0; k < g.gives.size(); ++k) tangents[g.gives[k]] = given[k];
    return tangents;
  };
  const SiteScope scope(site);
  out.resize(graph->outputs.size());
  if (!out.empty()) apply(op_of<CustomJvp>(), attributes(graph, replayed, results), operands, out);
  for (std::size_t k = 0; k < c.assigned.size(); ++k) Variable::handle(c.assigned[k]).assign(out[results + k]);
  out.resize(results);
  return out;
}

}  // namespace weft
