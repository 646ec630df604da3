#include "custom_gradient.h"

#include <fmt/format.h>

#include <algorithm>

#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/math.h"

namespace weft {
namespace {

struct CustomAttrs {
  std::shared_ptr<const detail::CustomRule> rule;
  void each(auto&& f) const { f("rule", rule); }
};

void custom_vjp(Backward& b) {
  std::vector<Tensor> cotangents;
  for (int i = 0; i < b.outputs(); ++i) cotangents.push_back(b.grad(i));
  const std::vector<Tensor> given = b.attrs<CustomAttrs>().rule->gradient(cotangents);
  if (static_cast<int>(given.size()) != b.inputs())
    throw GradError(fmt::format("custom_gradient function expected to return {} gradients but returned {} instead",
                                b.inputs(), given.size()));
  for (int i = 0; i < b.inputs(); ++i) b.give(i, given[static_cast<std::size_t>(i)]);
}

// It never passes the door: what it stands for has run already.
const Op custom_op = [] {
  Op op;
  op.name = "custom_gradient";
  op.reads = reads::types;
  op.vjp = custom_vjp;
  return op;
}();

}  // namespace

void detail::VariableReads::read(const std::shared_ptr<VariableState>& variable, const Tensor& value) {
  if (variable->trainable) reads_.emplace_back(variable, value.id());
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
  if (!t.defined()) throw ArgumentError("custom_gradient: the function returned an undefined tensor");
  if (!t.is_traced()) return Tensor::on(t.storage(), t.view());
  const TraceScope hidden(active_tracer());  // the trace needs to know it, the recorders not
  return identity(t);
}

void detail::record_custom(const std::shared_ptr<const CustomRule>& rule, std::span<const Tensor> in,
                           std::span<const Tensor> out, const std::source_location& site) {
  const SiteScope scope(site);
  const Attrs attrs = CustomAttrs{rule};
  each_recorder([&](Recorder& r) { r.record(custom_op, attrs, in, out); });
}

}  // namespace weft
