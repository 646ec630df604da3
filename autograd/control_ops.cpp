#include "control_ops.h"

#include <fmt/format.h>

#include <algorithm>

#include "../ops/closure.h"
#include "../ops/define.h"
#include "../ops/indexing.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "graph_gradient.h"
#include "round_sums.h"

WEFT_DEFINE_OP(weft::Cond);
WEFT_DEFINE_OP(weft::Scan);
WEFT_DEFINE_OP(weft::While);

namespace weft {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

Type stacked(const Type& t, std::int64_t n) {
  Type s = t;
  s.shape.insert(0, n);
  return s;
}
// Element i of a stacked, contiguous or not, view.
View element(const View& v, std::int64_t i) {
  View e = v;
  e.data = v.as<std::byte>() + i * v.strides[0] * static_cast<std::int64_t>(size_of(v.dtype));
  e.shape.erase(0);
  e.strides.erase(0);
  return e;
}
template <class Struct>
std::vector<Tensor> apply_several(const Attrs& attrs, std::size_t outputs, std::span<const Tensor> in) {
  std::vector<Tensor> out(outputs);
  apply(op_of<Struct>(), attrs, in, out);
  return out;
}

}  // namespace

// ---- cond ----
std::vector<Tensor> apply_cond(const CondAttrs& attrs, std::span<const Tensor> in) {
  return apply_several<Cond>(attrs, attrs.then->outputs.size(), in);
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

// ---- scan ----
std::vector<Tensor> apply_scan(const ScanAttrs& attrs, std::span<const Tensor> in) {
  return apply_several<Scan>(attrs, attrs.body->outputs.size() + (attrs.keep ? size(attrs.carries) : 0), in);
}

void Scan::infer(const Attrs& attrs, Types, std::span<Type> out) {
  const auto& a = attrs.as<ScanAttrs>();
  const std::size_t carries = size(a.carries), results = a.body->outputs.size();
  for (std::size_t k = 0; k < results; ++k) {
    const Type& t = a.body->type(a.body->outputs[k]);
    out[k] = k < carries ? t : stacked(t, a.length);
  }
  for (std::size_t k = results; k < out.size(); ++k)
    out[k] = stacked(a.body->type(a.body->outputs[k - results]), a.length);
}

void Scan::run_graphs(const Attrs& attrs, std::span<GraphRunner* const> runners, Views in, Views out) {
  const auto& a = attrs.as<ScanAttrs>();
  const std::size_t carries = size(a.carries), xs = size(a.xs), results = a.body->outputs.size();
  if (a.length == 0) {
    for (std::size_t k = 0; k < carries; ++k) copy_elements(in[k], out[k]);
    return;
  }
  // Carries go from one buffer to another, or, where they are kept, along those outputs; the last into the result.
  std::vector<Tensor> scratch;
  for (std::size_t k = 0; !a.keep && k < 2 * carries && a.length > 1; ++k)
    scratch.push_back(Tensor::allocate({in[k % carries].dtype, in[k % carries].shape}));
  const auto place = [&](std::int64_t round) { return a.reverse ? a.length - 1 - round : round; };
  const auto carry_before = [&](std::int64_t round, std::size_t k) {
    if (a.keep) return element(out[results + k], place(round));
    return round == 0 ? in[k] : scratch[size(static_cast<int>(round % 2)) * carries + k].view();
  };
  if (a.keep)
    for (std::size_t k = 0; k < carries; ++k) copy_elements(in[k], carry_before(0, k));
  std::vector<View> from(in.begin(), in.end()), to(results);
  for (std::int64_t round = 0; round < a.length; ++round) {
    for (std::size_t k = 0; k < carries; ++k) {
      from[k] = carry_before(round, k);
      to[k] = round + 1 < a.length ? carry_before(round + 1, k) : out[k];
    }
    for (std::size_t k = carries; k < carries + xs; ++k) from[k] = element(in[k], place(round));
    for (std::size_t k = carries; k < results; ++k) to[k] = element(out[k], place(round));
    runners[0]->run(from, to);
  }
}

// Backwards through the rounds: the carries' cotangents go along, the constants' are summed (RoundSums), and a round's
// own values are computed again from the carries that were kept.
void Scan::vjp(Backward& b) {
  ScanAttrs a = b.attrs<ScanAttrs>();
  const std::size_t carries = size(a.carries), xs = size(a.xs), results = a.body->outputs.size();
  const std::size_t inputs = static_cast<std::size_t>(b.inputs());
  std::vector<Tensor> in;
  for (int k = 0; k < b.inputs(); ++k) in.push_back(b.in(k));
  std::vector<Tensor> kept;
  if (a.keep) {
    for (std::size_t k = 0; k < carries; ++k) kept.push_back(b.out(static_cast<int>(results + k)));
  } else {
    ScanAttrs again = a;
    again.keep = true;
    const std::vector<Tensor> out = apply_scan(again, in);
    kept.assign(out.end() - static_cast<std::ptrdiff_t>(carries), out.end());
  }

  std::vector<bool> wants(inputs);
  std::vector<Tensor> carried, elements;  // of the backward scan
  for (std::size_t k = 0; k < carries; ++k) {
    wants[k] = is_floating(in[k].dtype());
    if (wants[k])
      carried.push_back(b.has_grad(static_cast<int>(k)) ? b.grad(static_cast<int>(k)) : detail::zeros_like(in[k]));
  }
  for (std::size_t k = carries; k < inputs; ++k) wants[k] = b.wants(static_cast<int>(k));
  elements = kept;
  elements.insert(elements.end(), in.begin() + static_cast<std::ptrdiff_t>(carries),
                  in.begin() + static_cast<std::ptrdiff_t>(carries + xs));
  std::vector<bool> has_grad(results), kept_grad(carries);
  for (std::size_t k = 0; k < results; ++k) {
    has_grad[k] = k < carries ? wants[k] : b.has_grad(static_cast<int>(k));
    if (k >= carries && has_grad[k]) elements.push_back(b.grad(static_cast<int>(k)));
  }
  // The carries kept may have cotangents of their own: from a second derivative.
  for (std::size_t k = 0; a.keep && k < carries; ++k) {
    kept_grad[k] = b.has_grad(static_cast<int>(results + k));
    if (kept_grad[k]) elements.push_back(b.grad(static_cast<int>(results + k)));
  }
  std::vector<Tensor> arguments = carried;
  arguments.insert(arguments.end(), elements.begin(), elements.end());
  arguments.insert(arguments.end(), in.begin() + static_cast<std::ptrdiff_t>(carries + xs), in.end());

  std::vector<Type> types;
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    Type t = arguments[k].type();
    if (k >= carried.size() && k < carried.size() + elements.size()) t.shape.erase(0);
    types.push_back(t);
  }
  const Closure step = close_over(types, [&](std::span<const Tensor> args) {
    const auto x = args.subspan(carried.size(), elements.size()), constants = args.last(inputs - carries - xs);
    std::vector<Tensor> values(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(carries + xs));
    values.insert(values.end(), constants.begin(), constants.end());
    std::vector<Tensor> seeds;
    std::size_t next_carry = 0, next_y = carries + xs;
    for (std::size_t k = 0; k < results; ++k)
      seeds.push_back(!has_grad[k] ? Tensor() : k < carries ? args[next_carry++] : x[next_y++]);
    GraphGradient g = graph_gradient(*a.body, values, seeds, wants, Unconnected::zero);
    for (std::size_t k = 0; k < carries; ++k)
      if (kept_grad[k]) g.gradients[k] = g.gradients[k] + x[next_y++];
    std::vector<Tensor> out;
    for (std::size_t k = 0; k < inputs; ++k)
      if (wants[k]) out.push_back(g.gradients[k]);
    return out;
  });
  std::size_t ys = carried.size();  // where they begin in what the loop gives
  const auto gifts = std::count(wants.begin() + static_cast<std::ptrdiff_t>(carries + xs), wants.end(), true);
  const RoundSums round(*step.self_contained(), carried.size(), elements.size(), static_cast<std::size_t>(gifts));
  for (const Type& t : round.sums())
    arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(ys++),
                     broadcast_to(Arg(0).tensor(t.dtype), t.shape));
  const std::vector<Tensor> given = apply_scan({round.body(), static_cast<int>(ys), static_cast<int>(elements.size()),
                                                a.length, !a.reverse, !active_recorders().empty()},
                                               arguments);
  const std::vector<Tensor> totals = round.totals(elements, given);
  std::size_t carry = 0, total = 0;
  for (std::size_t k = 0; k < inputs; ++k)
    if (wants[k])
      b.give(static_cast<int>(k), k < carries ? given[carry++] : k < carries + xs ? given[ys++] : totals[total++]);
}

// ---- while ----
std::vector<Tensor> apply_while(const WhileAttrs& attrs, std::span<const Tensor> in) {
  return apply_several<While>(attrs, size(attrs.carries) * (attrs.keep ? 2 : 1) + (attrs.keep ? 1 : 0), in);
}

void While::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const auto& a = attrs.as<WhileAttrs>();
  const std::size_t carries = size(a.carries);
  for (std::size_t k = 0; k < carries; ++k) {
    out[k] = *in[k];
    if (a.keep) out[carries + 1 + k] = stacked(*in[k], a.max_iterations);
  }
  if (a.keep) out[carries] = {i64, {}};
}

void While::run_graphs(const Attrs& attrs, std::span<GraphRunner* const> runners, Views in, Views out) {
  const auto& a = attrs.as<WhileAttrs>();
  const std::size_t carries = size(a.carries);
  std::vector<Tensor> scratch;
  for (std::size_t k = 0; k < carries; ++k) scratch.push_back(Tensor::allocate({in[k].dtype, in[k].shape}));
  std::vector<View> from(in.begin(), in.end()), to(carries);
  bool holds = false;
  const View test{DType::boolean, {}, {}, &holds};
  std::int64_t round = 0;
  for (;; ++round) {
    if (a.max_iterations >= 0 && round >= a.max_iterations) break;
    runners[0]->run(from, Views(&test, 1));
    if (!holds) break;
    for (std::size_t k = 0; k < carries; ++k) {
      if (a.keep) copy_elements(from[k], element(out[carries + 1 + k], round));
      to[k] = round % 2 ? scratch[k].view() : out[k];
    }
    runners[1]->run(from, to);
    for (std::size_t k = 0; k < carries; ++k) from[k] = to[k];
  }
  for (std::size_t k = 0; k < carries; ++k)
    if (from[k].data != out[k].data) copy_elements(from[k], out[k]);
  if (!a.keep) return;
  *out[carries].as<std::int64_t>() = round;
  const double zero = 0;  // rounds that were not
  for (std::size_t k = 0; k < carries; ++k)
    for (std::int64_t i = round; i < a.max_iterations; ++i) {
      const View e = element(out[carries + 1 + k], i);
      copy_elements({f64, e.shape, Ints::filled(e.shape.size(), 0), const_cast<double*>(&zero)}, e);
    }
}

void While::vjp(Backward& b) {
  const WhileAttrs a = b.attrs<WhileAttrs>();
  const std::size_t carries = size(a.carries), inputs = static_cast<std::size_t>(b.inputs());
  std::vector<Tensor> in;
  for (int k = 0; k < b.inputs(); ++k) in.push_back(b.in(k));
  if (a.max_iterations < 0)
    throw GradError("a loop without a bound has no gradient where it is traced",
                    "while_loop(condition, body, init, {.max_iterations = n}), or scan");
  std::vector<Tensor> kept;  // the number of rounds, then the carries
  if (a.keep) {
    for (std::size_t k = carries; k < 2 * carries + 1; ++k) kept.push_back(b.out(static_cast<int>(k)));
  } else {
    WhileAttrs again = a;
    again.keep = true;
    const std::vector<Tensor> out = apply_while(again, in);
    kept.assign(out.begin() + static_cast<std::ptrdiff_t>(carries), out.end());
  }

  // A loop again, from the last round to the first: (round, cotangents, sums for constants; kept values, constants).
  std::vector<bool> wants(inputs), kept_grad(carries);
  std::vector<Tensor> arguments = {kept[0]};
  for (std::size_t k = 0; k < inputs; ++k) {
    wants[k] = k < carries ? is_floating(in[k].dtype()) : b.wants(static_cast<int>(k));
    if (!wants[k]) continue;
    const bool has = k < carries && b.has_grad(static_cast<int>(k));
    arguments.push_back(has ? b.grad(static_cast<int>(k)) : detail::zeros_like(in[k]));
  }
  const std::size_t carried = arguments.size();
  arguments.insert(arguments.end(), kept.begin() + 1, kept.end());
  for (std::size_t k = 0; a.keep && k < carries; ++k) {
    kept_grad[k] = b.has_grad(static_cast<int>(carries + 1 + k));
    if (kept_grad[k]) arguments.push_back(b.grad(static_cast<int>(carries + 1 + k)));
  }
  arguments.insert(arguments.end(), in.begin() + static_cast<std::ptrdiff_t>(carries), in.end());

  const std::vector<Type> types = types_of(arguments);
  const Closure condition =
      close_over(types, [&](std::span<const Tensor> args) { return std::vector<Tensor>{args[0] > 0}; });
  const Closure step = close_over(types, [&](std::span<const Tensor> args) {
    const Tensor round = args[0] - 1;
    std::vector<Tensor> values;
    for (std::size_t k = 0; k < carries; ++k) values.push_back(gather(args[carried + k], round));
    const auto constants = args.last(inputs - carries);
    values.insert(values.end(), constants.begin(), constants.end());
    std::vector<Tensor> seeds;
    std::size_t next = 1, next_kept = carried + carries;
    for (std::size_t k = 0; k < carries; ++k) seeds.push_back(wants[k] ? args[next++] : Tensor());
    GraphGradient g = graph_gradient(*a.body, values, seeds, wants, Unconnected::zero);
    for (std::size_t k = 0; k < carries; ++k)
      if (kept_grad[k]) g.gradients[k] = g.gradients[k] + gather(args[next_kept++], round);
    std::vector<Tensor> out = {round};
    for (std::size_t k = 0; k < inputs; ++k)
      if (wants[k]) out.push_back(k < carries ? g.gradients[k] : args[next++] + g.gradients[k]);
    return out;
  });
  const std::vector<Tensor> given =
      apply_while({condition.self_contained(), step.self_contained(), static_cast<int>(carried), a.max_iterations,
                   !active_recorders().empty()},
                  arguments);
  std::size_t next = 1;
  for (std::size_t k = 0; k < inputs; ++k)
    if (wants[k]) b.give(static_cast<int>(k), given[next++]);
}

}  // namespace weft
