#include "control_flow.h"

#include <fmt/format.h>

#include <algorithm>

#include "../ops/mismatch.h"
#include "../ops/recorder.h"
#include "control_ops.h"

namespace weft::detail {
namespace {

// Inputs of several graphs, each tensor once.
class Shared {
 public:
  std::size_t add(const Tensor& t) {
    for (std::size_t k = 0; k < tensors.size(); ++k)
      if (tensors[k].id() == t.id()) return k;
    tensors.push_back(t);
    return tensors.size() - 1;
  }
  std::vector<Tensor> tensors;
};

// A graph with its inputs and outputs in another order: input i is `inputs[i]` of the old, or a new one of this type.
struct Place {
  std::size_t old = SIZE_MAX;
  Type type;
};
Body rearranged(const Graph& g, std::span<const Place> inputs, std::span<const std::size_t> outputs) {
  GraphCopy copy(g);
  for (const Place& p : inputs) {
    if (p.old != SIZE_MAX)
      copy.input(g.inputs[p.old]);
    else
      copy.to.add_input(p.type);
  }
  copy.nodes();
  for (const std::size_t k : outputs) {
    // An output that the graph lacks is one of its inputs, as it came.
    copy.to.outputs.push_back(k < g.outputs.size() ? copy(g.outputs[k]) : copy.to.inputs[k - g.outputs.size()]);
  }
  return std::make_shared<const Graph>(std::move(copy.to));
}

void same_types(std::string_view op, std::string_view what, const Type& a, const Type& b) {
  detail::check_same_type(a, b, [&] { return fmt::format("{}: {}: {} and {}", op, what, a.text(), b.text()); });
}

void write_back(std::span<const std::shared_ptr<VariableState>> variables, std::span<const Tensor> values) {
  for (std::size_t k = 0; k < variables.size(); ++k) Variable::handle(variables[k]).assign(values[k]);
}

// `next(k)`: the type of what the body makes of carry k.
template <class Next> void check_carries(std::string_view op, std::span<const Tensor> init, Next&& next) {
  for (std::size_t k = 0; k < init.size(); ++k)
    same_types(op, fmt::format("carry {} and what the body makes of it", k), init[k].type(), next(k));
}

std::vector<Tensor> cond_op(const Arg& predicate, const TensorFunction& then, const TensorFunction& otherwise) {
  const Closure branches[2] = {close_over({}, then), close_over({}, otherwise)};
  const SiteScope scope(predicate.site());  // from here on: what is inside has lines of its own
  const std::size_t results = branches[0].results;
  if (branches[1].results != results)
    throw ShapeError(fmt::format("cond: one branch gives {} tensors, the other {}", results, branches[1].results));
  for (std::size_t k = 0; k < results; ++k)
    same_types("cond", fmt::format("result {} of the two branches", k),
               branches[0].graph->type(branches[0].graph->outputs[k]),
               branches[1].graph->type(branches[1].graph->outputs[k]));
  Shared shared;
  std::vector<std::shared_ptr<VariableState>> assigned;
  std::vector<std::size_t> before;  // of those variables, among the shared
  for (const Closure& c : branches) {
    for (const Tensor& t : c.captured) shared.add(t);
    for (std::size_t k = 0; k < c.assigned.size(); ++k) {
      if (std::find(assigned.begin(), assigned.end(), c.assigned[k]) != assigned.end()) continue;
      assigned.push_back(c.assigned[k]);
      before.push_back(shared.add(c.captured[c.assigned_from[k]]));
    }
  }
  std::vector<Body> bodies;
  for (const Closure& c : branches) {
    std::vector<Place> inputs;
    for (const Tensor& t : shared.tensors) inputs.push_back({SIZE_MAX, t.type()});
    for (std::size_t k = 0; k < c.captured.size(); ++k) inputs[shared.add(c.captured[k])].old = k;
    std::vector<std::size_t> outputs;
    for (std::size_t k = 0; k < results; ++k) outputs.push_back(k);
    for (std::size_t k = 0; k < assigned.size(); ++k) {
      const auto at = std::find(c.assigned.begin(), c.assigned.end(), assigned[k]);
      outputs.push_back(at == c.assigned.end() ? c.graph->outputs.size() + before[k]
                                               : results + static_cast<std::size_t>(at - c.assigned.begin()));
    }
    bodies.push_back(rearranged(*c.graph, inputs, outputs));
  }
  std::vector<Tensor> in = {predicate.tensor(DType::boolean)};
  in.insert(in.end(), shared.tensors.begin(), shared.tensors.end());
  std::vector<Tensor> out = apply_cond({bodies[0], bodies[1]}, in);
  write_back(assigned, std::span(out).subspan(results));
  out.resize(results);
  return out;
}

std::vector<Tensor> while_op(const TensorFunction& condition, const TensorFunction& body, std::vector<Tensor> init,
                             const WhileOptions& options, const std::source_location& site) {
  const bool recorded = !active_recorders().empty();
  const std::vector<Type> types = types_of(init);
  const Closure test = close_over(types, condition), step = close_over(types, body);
  same_types("while_loop", "the condition and what it should be", test.graph->type(test.graph->outputs[0]),
             {DType::boolean, {}});
  if (!test.assigned.empty()) throw GuardError("while_loop: the condition assigns a variable", "let the body do it");
  if (step.results != init.size()) throw ShapeError("while_loop: the body returns another carry than it takes");
  check_carries("while_loop", init, [&](std::size_t k) { return step.graph->type(step.graph->outputs[k]); });
  const SiteScope scope(site);
  // Carries: those given, and the variables that the body assigns. Then constants.
  const std::size_t n = init.size();
  Shared shared;
  for (std::size_t k = 0; k < step.assigned.size(); ++k) shared.add(step.captured[step.assigned_from[k]]);
  for (const Closure* c : {&test, &step})
    for (const Tensor& t : c->captured) shared.add(t);
  const auto arranged = [&](const Closure& c, bool all) {
    std::vector<Place> inputs;
    for (std::size_t k = 0; k < n; ++k) inputs.push_back({k, types[k]});
    for (const Tensor& t : shared.tensors) inputs.push_back({SIZE_MAX, t.type()});
    for (std::size_t k = 0; k < c.captured.size(); ++k) inputs[n + shared.add(c.captured[k])].old = n + k;
    std::vector<std::size_t> outputs;
    for (std::size_t k = 0; k < (all ? c.graph->outputs.size() : 1); ++k) outputs.push_back(k);
    return rearranged(*c.graph, inputs, outputs);
  };
  init.insert(init.end(), shared.tensors.begin(), shared.tensors.end());
  WhileAttrs attrs{arranged(test, false), arranged(step, true), static_cast<int>(n + step.assigned.size()),
                   options.max_iterations, 0};
  if (recorded) attrs.slots = attrs.slots_for_gradient();
  std::vector<Tensor> out = apply_while(attrs, init);
  write_back(step.assigned, std::span(out).subspan(n, step.assigned.size()));
  out.resize(n);
  return out;
}

std::vector<Tensor> scan_op(const TensorFunction& body, std::span<const Tensor> init, std::span<const Tensor> xs,
                            const ScanOptions& options, const std::source_location& site) {
  std::int64_t length = options.length;
  std::vector<Type> types = types_of(init);
  for (std::size_t k = 0; k < xs.size(); ++k) {
    Type t = xs[k].type();
    if (t.shape.empty()) throw ShapeError(fmt::format("scan: xs {} is {}, which has no axis to go along", k, t.text()));
    if (length < 0) length = t.shape[0];
    if (t.shape[0] != length)
      throw ShapeError(fmt::format("scan: xs {} is {}, and there are {} rounds", k, t.text(), length));
    t.shape.erase(0);
    types.push_back(t);
  }
  if (length < 0)
    throw ArgumentError("scan: without xs it needs a length", "scan(body, init, std::tuple(), {.length = n})");
  const Closure c = close_over(types, body);
  check_carries("scan", init, [&](std::size_t k) { return c.graph->type(c.graph->outputs[k]); });
  const SiteScope scope(site);
  // (carries, xs, captured) -> (carries, ys, assigned): assigned variables become carries.
  const std::size_t n = init.size(), variables = c.assigned.size(), given = types.size();
  std::vector<Place> inputs;
  std::vector<Tensor> in(init.begin(), init.end());
  std::vector<bool> carried(c.captured.size());
  for (std::size_t k = 0; k < n; ++k) inputs.push_back({k, {}});
  for (const std::size_t k : c.assigned_from) {
    inputs.push_back({given + k, {}});
    in.push_back(c.captured[k]);
    carried[k] = true;
  }
  for (std::size_t k = n; k < given; ++k) inputs.push_back({k, {}});
  in.insert(in.end(), xs.begin(), xs.end());
  for (std::size_t k = 0; k < c.captured.size(); ++k) {
    if (carried[k]) continue;
    inputs.push_back({given + k, {}});
    in.push_back(c.captured[k]);
  }
  std::vector<std::size_t> outputs;
  for (std::size_t k = 0; k < n; ++k) outputs.push_back(k);
  for (std::size_t k = 0; k < variables; ++k) outputs.push_back(c.results + k);
  for (std::size_t k = n; k < c.results; ++k) outputs.push_back(k);
  std::vector<Tensor> out = run_scan({rearranged(*c.graph, inputs, outputs), static_cast<int>(n + variables),
                                      static_cast<int>(xs.size()), length, options.reverse, false},
                                     in);
  write_back(c.assigned, std::span(out).subspan(n, variables));
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(n), out.begin() + static_cast<std::ptrdiff_t>(n + variables));
  out.resize(c.results);
  return out;
}

/// An error that leaves f says where that was called, if it does not say where inside.
template <class F> std::vector<Tensor> located(const Site& site, F&& f) {
  try {
    return f();
  } catch (Error& e) {
    e.locate({}, {}, site_text(site));
    throw;
  }
}

}  // namespace

std::vector<Tensor> cond(const Arg& predicate, const TensorFunction& then, const TensorFunction& otherwise) {
  return located(predicate.site(), [&] { return cond_op(predicate, then, otherwise); });
}

std::vector<Tensor> while_loop(const TensorFunction& condition, const TensorFunction& body, std::vector<Tensor> init,
                               const WhileOptions& options, const std::source_location& site) {
  return located(site, [&] { return while_op(condition, body, std::move(init), options, site); });
}

std::vector<Tensor> scan(const TensorFunction& body, std::span<const Tensor> init, std::span<const Tensor> xs,
                         const ScanOptions& options, const std::source_location& site) {
  return located(site, [&] { return scan_op(body, init, xs, options, site); });
}

}  // namespace weft::detail
