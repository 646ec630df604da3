#include "variable.h"

#include <fmt/format.h>

#include <atomic>
#include <ostream>

#include "../tensor/profile_log.h"
#include "apply.h"
#include "arg.h"
#include "math.h"
#include "recorder.h"
#include "trace.h"

namespace weft {
namespace {

Tensor held(const VariableState& state) {
  const auto lock = lock_variables();
  return state.value;
}

}  // namespace

Variable::Variable(const Tensor& initial, Flag trainable, std::string_view name, const Site& site) {
  static std::atomic<std::uint64_t> numbers{0};
  detail::called("Variable", site, [&] {
    if (!initial.defined()) throw ArgumentError("a variable needs a defined initial value");
    if (active_tracer() || initial.is_traced())
      throw GuardError("a variable was made while a function is traced",
                       "make variables before; a model that is copied, as one passed by value, is made of new ones");
  });
  // A variable's value has its own buffer in row-major order, so that assignments may write in place.
  const SiteScope scope(site);
  const detail::ProfilePhase phase("Variable");
  Tensor own = Tensor::allocate(initial.type());
  copy_elements(initial.view(), own.view());
  const auto state = std::make_shared<VariableState>();
  state->value = std::move(own);
  state->type = initial.type();
  state->parameter = trainable;
  state->number = numbers++;
  state_ = detail::OwnedState(state);
  if (!name.empty()) set_name(name);
}

Variable::Variable(const Variable& o) {
  if (!o.defined()) return;
  *this = Variable(held(*o.state()), o.state()->parameter, o.state()->name, Site());
  freeze(o.state()->frozen);
}

Variable& Variable::operator=(const Variable& o) {
  if (!defined()) {
    Variable copy(o);
    state_ = std::move(copy.state_);
    return *this;
  }
  return state() == o.state() ? *this : assign(o);
}

Variable& Variable::operator=(Variable&& o) {
  if (defined()) return *this = static_cast<const Variable&>(o);
  if (o.defined()) o.state()->moves.fetch_add(1, std::memory_order_relaxed);
  state_ = std::move(o.state_);
  return *this;
}

void Variable::fail_undefined(const Site& site) {
  const SiteScope scope(site);
  ArgumentError error("the variable is undefined", "it has been moved from, or never had an initial value");
  error.locate({}, {}, site_text(SiteScope::current()));
  throw error;
}

const std::string& Variable::name() const {
  tell_variables_apart();
  return checked().name;
}

bool Variable::same(const Variable& o) const {
  tell_variables_apart();
  return state() == o.state();
}

void Variable::set_name(std::string_view name) {
  checked();
  const auto lock = lock_variables();
  state()->name = name;
  state()->value = state()->value.named(name);
}

bool Variable::trainable() const {
  const bool is = checked().trainable();
  if (Tracer* const tracer = active_tracer()) tracer->asked_trainable.push_back(state());
  return is;
}

void Variable::freeze(Flag frozen) {
  checked();
  state()->frozen = frozen;
}

Tensor Variable::value(const Site& site) const {
  if (detail::substitutes && defined()) [[unlikely]]
    if (const Tensor* const other = detail::substitutes->find(state().get())) return *other;
  return own_value(site);
}

Tensor Variable::own_value(const Site& site) const {
  checked(site);
  const Tensor value = active_tracer() ? active_tracer()->read(state()) : held(*state());
  each_recorder([&](Recorder& r) { r.read(state(), value); });
  return value;
}

Variable& Variable::assign(const Arg& source) {
  const SiteScope scope(source.site());
  if (!defined()) detail::fail_in("assign", ArgumentError("the variable is undefined", "give it an initial value"));
  const Tensor value = source.tensor(dtype());
  const auto fail = [&](auto error) {
    detail::fail_in("assign", error,
                    {describe_operand("variable  ", held(*state())), describe_operand("value     ", value)});
  };
  if (!value.defined()) fail(ArgumentError("the value is undefined"));
  if (value.dtype() != dtype())
    fail(DTypeError(fmt::format("a variable of {} can't hold {}", name_of(dtype()), name_of(value.dtype())),
                    "cast the value"));
  const bool literal = source.is_number();
  if (!literal && value.shape() != shape())
    fail(ShapeError(fmt::format("a variable of shape {} can't hold {}", shape().text(), value.shape().text())));
  const Tensor full = literal ? broadcast_to(value, shape()) : value;

  const auto tell = [&](const Tensor& now) { each_recorder([&](Recorder& r) { r.assigned(state(), full, now); }); };
  if (Tracer* tracer = active_tracer()) {
    tracer->assign(state(), full);
    tell(tracer->read(state()));
    return *this;
  }
  if (full.is_traced()) throw GuardError("a traced tensor was assigned after its trace");
  const auto lock = lock_variables();
  Tensor& now = state()->value;
  if (!full.same(now)) {
    // A new handle each time: whoever read the old value keeps it, and tapes see another id. Its buffer is taken over
    // where nobody else has it, else copied.
    Tensor next;
    if (full.is_contiguous() && full.storage().unique() && full.storage().data() == full.view().data) {
      next = Tensor::on(full.storage(), full.view());
    } else {
      next = Tensor::allocate(full.type());
      copy_elements(full.view(), next.view());
    }
    next.take_name(now);
    tell(next);
    now = std::move(next);
  }
  return *this;
}

Variable& Variable::assign_add(const Arg& delta) {
  const SiteScope scope(delta.site());
  const auto lock = lock_update();
  return assign(Arg(own_value() + delta, delta.site()));
}

Variable& Variable::assign_sub(const Arg& delta) {
  const SiteScope scope(delta.site());
  const auto lock = lock_update();
  return assign(Arg(own_value() - delta, delta.site()));
}

std::ostream& operator<<(std::ostream& out, const Variable& v) { return out << v.value(); }

}  // namespace weft
