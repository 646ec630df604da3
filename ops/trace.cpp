#include "trace.h"

#include "define.h"
#include "defs/elementwise.h"

namespace weft {
namespace {

struct Assigned : Elementwise<Assigned> {
  static constexpr auto name = "assigned";
  static constexpr auto operand_names = "variable value";
  static constexpr auto accepts = Accepts::numbers;
  WEFT_EVAL(V, V value) { return value; }
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[1]; }  // of bools, too
  static int forwards(const Attrs&) { return 1; }
  static void vjp(Backward& b) { b.give(0, b.grad()); }
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::Assigned);

namespace weft {

const Op& assigned_op() { return op_of<Assigned>(); }

std::unique_lock<std::recursive_mutex> lock_variables() {
  static std::recursive_mutex mutex;  // of the process: two functions may write the same variable
  return std::unique_lock(mutex);
}

std::unique_lock<std::recursive_mutex> lock_update() {
  return active_tracer() ? std::unique_lock<std::recursive_mutex>() : lock_variables();
}

Trace::Trace(EqualNodes equal) : nested_(active_tracer()), first_id_(Tensor::placeholder({f32, {}}).id()) {
  graph.equal = equal;
}

Tensor Trace::add_input(const Type& type) {
  const Tensor t = Tensor::placeholder(type);
  ids_[t.id()] = graph.add_input(type);
  return t;
}

ValueId Trace::value_of(const Tensor& t) {
  if (const auto it = ids_.find(t.id()); it != ids_.end()) return it->second;
  return ids_[t.id()] = capture(t);
}

ValueId Trace::capture(const Tensor& t) {
  if (t.is_traced() && !nested_)
    throw GuardError("a tensor of another trace was used",
                     "a tensor made while a function is traced lives only there; return it and use the result");
  // A tensor younger than the trace is the function's own, for which nobody can ask a gradient.
  if (!t.is_traced() && t.id() > first_id_) return graph.add_constant(t);
  captures.push_back({t, nullptr, graph.add_input(t.type()), {}});
  return captures.back().input;
}

void Trace::append(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<Tensor> out) {
  std::vector<ValueId> operands;
  std::vector<Type> types;
  for (const Tensor& t : in) operands.push_back(value_of(t));
  for (const Tensor& t : out) types.push_back(t.type());
  const ValueId first = graph.add(op, attrs, operands, types, SiteScope::origin());
  for (std::size_t k = 0; k < out.size(); ++k) ids_[out[k].id()] = first + static_cast<ValueId>(k);
}

Trace::Capture& Trace::captured(const std::shared_ptr<VariableState>& variable) {
  for (Capture& c : captures)
    if (c.variable == variable) return c;
  const Tensor t = add_input(variable->type);
  return captures.emplace_back(Capture{{}, variable, value_of(t), t});
}

Tensor Trace::read(const std::shared_ptr<VariableState>& variable) { return captured(variable).value; }

void Trace::assign(const std::shared_ptr<VariableState>& variable, const Tensor& value) {
  const ValueId assigned = value_of(value);
  Capture& c = captured(variable);
  // The variable's value from here on is another tensor than `value`, as eagerly: tapes tell them apart.
  const Tensor next = Tensor::placeholder(value.type());
  const ValueId operands[] = {c.input, assigned};
  ids_[next.id()] = graph.add(assigned_op(), {}, operands, std::span(&value.type(), 1), SiteScope::origin());
  c.value = next;
  c.assigned_value = assigned;
  c.assigned = true;
  c.site = SiteScope::current();
}

}  // namespace weft
