#include "kept_tensors.h"

#include <algorithm>

#include "../tensor/profile_log.h"
#include "executable.h"

namespace weft {
namespace {

void note_ids(std::vector<std::uint64_t>& ids, KeptTensors::Variables variables) {
  ids.clear();
  for (const auto& v : variables) ids.push_back(v->value.id());
}

Tensor make(const KeptValue& value, Executable& maker, KeptTensors::Variables variables) {
  std::vector<View> in;
  for (const std::size_t k : value.variables) in.push_back(variables[k]->value.view());
  Tensor made = Tensor::allocate(value.graph->type(value.graph->outputs[0]));
  const View out = made.view();
  maker.run(Views(in), Views(&out, 1));
  return made;
}

}  // namespace

KeptTensors::KeptTensors(std::vector<KeptValue> values) : values_(std::move(values)) {}

void KeptTensors::compile() {
  for (const KeptValue& v : values_) makers_.push_back(std::make_unique<Executable>(*v.graph));
}

KeptTensors::~KeptTensors() = default;

std::shared_ptr<KeptTensors::Set> KeptTensors::take(Variables variables, bool to_write) {
  const std::lock_guard lock(mutex_);
  const auto current = [&](const Set& set, const KeptValue& value) {
    return std::all_of(value.variables.begin(), value.variables.end(),
                       [&](std::size_t k) { return set.made_from[k] == variables[k]->value.id(); });
  };
  std::shared_ptr<Set> set = std::move(held_);
  const auto stale = [&](const KeptValue& value) { return !set || !current(*set, value); };
  if (std::any_of(values_.begin(), values_.end(), stale)) {
    const detail::ProfilePhase phase("kept values");
    auto fresh = std::make_shared<Set>();
    for (const KeptValue& value : values_)
      fresh->values.push_back(stale(value) ? Tensor() : set->values[fresh->values.size()]);
    set.reset();  // what is of other values goes before it is computed anew
    for (std::size_t k = 0; k < values_.size(); ++k) {
      if (fresh->values[k].defined()) continue;
      fresh->values[k] = make(values_[k], *makers_[k], variables);
      ++made_;
    }
    note_ids(fresh->made_from, variables);
    set = std::move(fresh);
  }
  if (!to_write) held_ = set;
  return set;
}

void KeptTensors::give_back(std::shared_ptr<Set> set, Variables variables) {
  const std::lock_guard lock(mutex_);
  note_ids(set->made_from, variables);
  held_ = std::move(set);
}

std::size_t KeptTensors::made() const {
  const std::lock_guard lock(mutex_);
  return made_;
}

}  // namespace weft
