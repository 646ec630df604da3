#include "trace.h"

namespace weft {

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
  if (t.is_traced())
    throw GuardError("a tensor of another trace was used",
                     "a tensor made while a function is traced lives only there; return it and use the result");
  return graph.add_constant(t);
}

void Trace::append(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<Tensor> out) {
  std::vector<ValueId> operands;
  std::vector<Type> types;
  for (const Tensor& t : in) operands.push_back(value_of(t));
  for (const Tensor& t : out) types.push_back(t.type());
  const ValueId first = graph.add(op, attrs, operands, types, SiteScope::current());
  for (std::size_t k = 0; k < out.size(); ++k) ids_[out[k].id()] = first + static_cast<ValueId>(k);
}

Trace::Captured& Trace::captured(const std::shared_ptr<VariableState>& variable) {
  for (Captured& c : variables)
    if (c.state == variable) return c;
  const Tensor t = add_input(variable->value.type());
  return variables.emplace_back(Captured{variable, value_of(t), t});
}

Tensor Trace::read(const std::shared_ptr<VariableState>& variable) { return captured(variable).value; }

void Trace::assign(const std::shared_ptr<VariableState>& variable, const Tensor& value) {
  Captured& c = captured(variable);
  // The variable's value from here on is another tensor than `value`, as eagerly: tapes tell them apart.
  const Tensor next = Tensor::placeholder(value.type());
  ids_[next.id()] = value_of(value);
  c.value = next;
  c.assigned = true;
}

}  // namespace weft
