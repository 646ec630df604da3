#include "custom_gradient.h"

#include <fmt/format.h>

#include <algorithm>

#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/batching.h"
#include "../ops/closure.h"
#include "../ops/define.h"
#include "../ops/math.h"
#include "../ops/reduce.h"

namespace weft {
namespace {

using detail::CustomRule;

// The rule's gradients, one for each of `arguments`.
std::vector<Tensor> gradients_by(const CustomRule& rule, const std::vector<Tensor>& cotangents, std::size_t arguments) {
  std::vector<Tensor> given = rule.gradient(cotangents);
  if (given.size() != arguments)
    throw GradError(fmt::format("custom_gradient function expected to return {} gradients but returned {} instead",
                                arguments, given.size()));
  return given;
}

std::vector<Tensor> cotangents_of(const Backward& b) {
  std::vector<Tensor> list;
  for (int i = 0; i < b.outputs(); ++i) list.push_back(b.grad(i));
  return list;
}

// ---- eagerly: what it stands for has run already, and it never passes the door ----
struct CustomAttrs {
  std::shared_ptr<const CustomRule> rule;
  void each(auto&& f) const { f("rule", rule); }
};

const Op eager_op = [] {
  Op op;
  op.name = "custom_gradient";
  op.reads = reads::types;
  op.vjp = [](Backward& b) {
    const auto given =
        gradients_by(*b.attrs<CustomAttrs>().rule, cotangents_of(b), static_cast<std::size_t>(b.inputs()));
    for (int i = 0; i < b.inputs(); ++i) b.give(i, given[static_cast<std::size_t>(i)]);
  };
  return op;
}();

// ---- in a trace: a node, for whoever applies the graph again ----
// Its rule is traced with the function, as the tensors that it uses end with the trace.
struct TracedRule {
  std::size_t arguments = 0, results = 0;
  Graph graph;                     // from cotangents and what the rule captured to gradients
  std::vector<std::size_t> gives;  // by gradient: for which argument
  std::exception_ptr failure;      // what the rule threw: thrown again if a gradient is asked for
  std::string text() const { return "function"; }
};
struct TracedAttrs {
  std::shared_ptr<const TracedRule> rule;
  void each(auto&& f) const { f("rule", rule); }
};

// Inputs: arguments, results, what the rule captured. The results, of which a tape knows by the rule alone.
struct TracedCustom {
  static constexpr auto name = "custom_gradient";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::values;

  static const TracedRule& rule(const Attrs& attrs) { return *attrs.as<TracedAttrs>().rule; }
  static int forwards(const Attrs& attrs) { return static_cast<int>(rule(attrs).arguments); }
  static void infer(const Attrs& attrs, Types in, std::span<Type> out) {
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = *in[rule(attrs).arguments + k];
  }
  static void vjp(Backward& b) {
    const TracedRule& r = rule(b.attributes());
    if (r.failure) std::rethrow_exception(r.failure);
    std::vector<Tensor> in = cotangents_of(b);
    for (int i = static_cast<int>(r.arguments + r.results); i < b.inputs(); ++i) in.push_back(b.in(i));
    const std::vector<Tensor> gradients = replay(r.graph, in);
    for (std::size_t k = 0; k < r.gives.size(); ++k) b.give(static_cast<int>(r.gives[k]), gradients[k]);
  }

  static void batch(Batching& b);
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::TracedCustom);

namespace weft {

// The rule of a batch: the rule batched, its gradients for an argument that all examples share summed.
void TracedCustom::batch(Batching& b) {
  const TracedRule& r = rule(b.attributes());
  const int first = static_cast<int>(r.arguments), captured = first + static_cast<int>(r.results);
  std::vector<Tensor> in;
  std::vector<Type> types;
  for (int i = 0; i < b.inputs(); ++i) in.push_back(i >= first && i < captured ? b.front(i) : b.in(i));
  for (int i = first; i < b.inputs(); ++i) types.push_back(in[static_cast<std::size_t>(i)].type());
  auto all = std::make_shared<TracedRule>(r);
  if (!r.failure) {
    const Closure c = close_over(types, [&](std::span<const Tensor> x) {
      std::vector<Batched> operands;
      for (int i = first; i < b.inputs(); ++i)
        operands.push_back({x[static_cast<std::size_t>(i - first)], i < captured || b.batched(i)});
      std::vector<Tensor> gradients;
      const std::vector<Batched> given = replay_batched(r.graph, operands, b.size());
      for (std::size_t k = 0; k < given.size(); ++k) {
        const Tensor& g = given[k].value;
        if (b.batched(static_cast<int>(r.gives[k])))
          gradients.push_back(batch_in_front(given[k], b.size()));
        else
          gradients.push_back(given[k].batched ? sum(g, 0) : g * b.size());
      }
      return gradients;
    });
    all->graph = *c.graph;
    in.insert(in.end(), c.captured.begin(), c.captured.end());
  }
  std::vector<Tensor> out(r.results);
  weft::apply(op_of<TracedCustom>(), TracedAttrs{std::move(all)}, in, out);
  for (std::size_t k = 0; k < out.size(); ++k) b.give(static_cast<int>(k), out[k]);
}

void detail::VariableReads::read(const std::shared_ptr<VariableState>& variable, const Tensor& value) {
  if (variable->trainable()) reads_.emplace_back(variable, value.id());
}

void detail::VariableReads::check(std::span<const Tensor> arguments) const {
  for (const auto& [variable, id] : reads_) {
    const bool passed =
        std::any_of(arguments.begin(), arguments.end(), [&](const Tensor& t) { return t.defined() && t.id() == id; });
    if (!passed)
      throw GradError(
          fmt::format("custom_gradient: the function reads the variable \"{}\", which is none of its arguments",
                      variable->name),
          "pass it as an argument and return its gradient too, or make it not trainable");
  }
}

Tensor detail::unseen(const Tensor& t) {
  if (!t.defined()) throw ArgumentError("a function with a rule of its own returned an undefined tensor");
  if (!t.is_traced()) return Tensor::on(t.storage(), t.view());
  const TraceScope hidden(active_tracer());  // the trace needs to know it, the recorders not
  return identity(t);
}

std::vector<Tensor> detail::by_rule(const std::shared_ptr<const CustomRule>& rule, std::span<const Tensor> in,
                                    std::span<const Tensor> values, const std::source_location& site) {
  for (const Tensor& t : values)
    if (!t.defined()) throw ArgumentError("custom_gradient: the function returned an undefined tensor");
  const SiteScope scope(site);
  std::vector<Tensor> out;
  if (!active_tracer()) {
    for (const Tensor& t : values) out.push_back(Tensor::on(t.storage(), t.view()));
    const Attrs attrs = CustomAttrs{rule};
    each_recorder([&](Recorder& r) { r.record(eager_op, attrs, in, out); });
    return out;
  }
  TracedRule traced{in.size(), values.size(), {}, {}, {}};
  std::vector<Tensor> operands(in.begin(), in.end());
  operands.insert(operands.end(), values.begin(), values.end());
  try {
    const Closure c = close_over(types_of(values), [&](std::span<const Tensor> cotangents) {
      std::vector<Tensor> gradients;
      const auto given = gradients_by(*rule, {cotangents.begin(), cotangents.end()}, in.size());
      for (std::size_t k = 0; k < given.size(); ++k) {
        if (!given[k].defined()) continue;
        traced.gives.push_back(k);
        gradients.push_back(given[k]);
      }
      return gradients;
    });
    traced.graph = *c.graph;
    operands.insert(operands.end(), c.captured.begin(), c.captured.end());
  } catch (...) { traced.failure = std::current_exception(); }
  out.resize(values.size());
  apply(op_of<TracedCustom>(), TracedAttrs{std::make_shared<const TracedRule>(std::move(traced))}, operands, out);
  return out;
}

}  // namespace weft
