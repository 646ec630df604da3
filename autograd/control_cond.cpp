// cond: one of two graphs runs.
#include <fmt/format.h>

#include "../ops/closure.h"
#include "../ops/define.h"
#include "control_ops.h"
#include "graph_gradient.h"

WEFT_DEFINE_OP(weft::Cond);

namespace weft {

using namespace control;

std::vector<Tensor> apply_cond(const CondAttrs& attrs, std::span<const Tensor> in) {
  return apply_several(op_of<Cond>(), attrs, attrs.then->outputs.size(), in);
}

void Cond::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const Graph& g = *attrs.as<CondAttrs>().then;
  if (*in[0] != Type{DType::boolean, {}})
    throw DTypeError(fmt::format("the predicate is {}, not bool[]", in[0]->text()), "compare, or reduce with any()");
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = g.type(g.outputs[k]);
}

void Cond::run_graphs(const Attrs&, std::span<GraphRunner* const> runners, Views in, Views out) {
  runners[*in[0].as<bool>() ? 0 : 1]->run(in.subspan(1), out);
}

void Cond::vjp(Backward& b) {
  const auto& attrs = b.attrs<CondAttrs>();
  std::vector<Tensor> operands, cotangents;
  std::vector<bool> wants, has_grad;
  for (int k = 1; k < b.inputs(); ++k) {
    operands.push_back(b.in(k));
    wants.push_back(b.wants(k));
  }
  for (int k = 0; k < b.outputs(); ++k) {
    has_grad.push_back(b.has_grad(k));
    if (b.has_grad(k)) cotangents.push_back(b.grad(k));
  }
  const std::size_t n = operands.size();
  operands.insert(operands.end(), cotangents.begin(), cotangents.end());
  const auto gradient_of = [&](const Body& branch) {
    return close_over(types_of(operands), [&](std::span<const Tensor> in) {
      std::vector<Tensor> seeds;
      std::size_t next = n;
      for (const bool has : has_grad) seeds.push_back(has ? in[next++] : Tensor());
      const GraphGradient g = graph_gradient(*branch, in.first(n), seeds, wants, Unconnected::zero);
      std::vector<Tensor> given;
      for (const Tensor& t : g.gradients)
        if (t.defined()) given.push_back(t);
      return given;
    });
  };
  const CondAttrs gradient{gradient_of(attrs.then).self_contained(), gradient_of(attrs.otherwise).self_contained()};
  operands.insert(operands.begin(), b.in(0));
  const std::vector<Tensor> given = apply_cond(gradient, operands);
  std::size_t next = 0;
  for (std::size_t k = 0; k < n; ++k)
    if (wants[k]) b.give(static_cast<int>(k) + 1, given[next++]);
}

}  // namespace weft
