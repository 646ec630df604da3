#include "tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "../ops/apply.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../ops/mismatch.h"
#include "../tensor/profile_log.h"
#include "../tensor/warn.h"

namespace weft {

// ---- the table ----
GradientTape::Slot GradientTape::SlotTable::find(std::uint64_t id) const {
  if (cells_.empty()) return no_slot;
  const std::size_t mask = cells_.size() - 1;
  for (std::size_t at = (id * 0x9E3779B97F4A7C15u >> 20) & mask;; at = (at + 1) & mask) {
    if (cells_[at].id == id) return cells_[at].slot;
    if (cells_[at].id == 0) return no_slot;
  }
}

GradientTape::Slot GradientTape::SlotTable::insert(std::uint64_t id, Slot flags) {
  if (2 * cells_.size() < 3 * (static_cast<std::size_t>(used_) + 1)) {
    std::vector<Cell> old(std::max<std::size_t>(64, 2 * cells_.size()));
    old.swap(cells_);
    const std::size_t mask = cells_.size() - 1;
    for (const Cell& c : old) {
      if (c.id == 0) continue;
      std::size_t at = (c.id * 0x9E3779B97F4A7C15u >> 20) & mask;
      while (cells_[at].id) at = (at + 1) & mask;
      cells_[at] = c;
    }
  }
  const std::size_t mask = cells_.size() - 1;
  std::size_t at = (id * 0x9E3779B97F4A7C15u >> 20) & mask;
  for (; cells_[at].id; at = (at + 1) & mask)
    if (cells_[at].id == id) return cells_[at].slot &= number(UINT32_MAX) | flags;
  cells_[at] = {id, used_++ | flags};
  return cells_[at].slot;
}

// ---- recording ----
namespace {
std::atomic<int> integer_warnings{0}, inside_warnings{0};

// What a tape notes of an assignment: no gradient passes through a variable's state.
constexpr Op assign_op = [] {
  Op op;
  op.name = "assign";
  op.differentiable = false;
  return op;
}();
}  // namespace

void detail::forget_tape_warnings() { integer_warnings = inside_warnings = 0; }

GradientTape::GradientTape(TapeOptions options, Site site) : options_(options), site_(site) { start(); }

GradientTape::~GradientTape() {
  if (recording_) pop_recorder(this);
}

void GradientTape::check_thread() const {
  if (std::this_thread::get_id() != thread_) throw GradError("a tape belongs to the thread that made it");
}

void GradientTape::check_sees_ops() const {
  if (active_tracer() != tracer_)
    throw GuardError("the tape pauses inside a function that is traced, of which it sees one op",
                     "stop_gradient() what is not to count");
}

void GradientTape::start() {
  check_thread();
  if (recording_) throw GradError("the tape is still recording", "stop() it first");
  if (used_ && !options_.persistent) reset_history();
  recording_ = true;
  tracer_ = active_tracer();
  note_switch();
  push_recorder(this);
}

// In turn where it began and where it ended; the first is kept apart, so that most tapes have no list.
void GradientTape::note_switch() {
  if (began_ == 0)
    began_ = Tensor::new_id();
  else
    switched_.push_back(Tensor::new_id());
}

void GradientTape::stop() {
  check_thread();
  if (!recording_) throw GradError("the tape is not recording");
  recording_ = false;
  if (!used_ || options_.persistent) note_switch();  // else nothing is left to explain
  pop_recorder(this);
}

void GradientTape::clear() {  // the memory goes too: a tape may live long after its gradient
  const auto release = [](auto& list) { list = std::remove_reference_t<decltype(list)>(); };
  release(entries_), release(slots_), release(saved_), release(types_), release(table_);
  blind_entries_ = 0;
}

void GradientTape::reset_history() {
  clear();
  watched_.clear();
  switched_.clear();
  began_ = 0;
  used_ = false;
}

void GradientTape::reset() {
  check_thread();
  reset_history();
  if (recording_)
    note_switch();
  else
    start();
}

std::size_t GradientTape::bytes() const {
  std::size_t bytes = sizeof *this + table_.bytes() + switched_.capacity() * sizeof(std::uint64_t);
  const auto add = [&](const auto& list) { bytes += list.capacity() * sizeof(list[0]); };
  add(entries_), add(slots_), add(saved_), add(types_), add(watched_);
  for (const Watched& w : watched_) add(w.values);
  return bytes;
}

void GradientTape::record(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  if (table_.size() == 0) return;
  constexpr std::size_t most = 16;
  std::array<Slot, most> few;
  std::vector<Slot> many;
  if (in.size() > most) many.resize(in.size());
  Slot* const slots = in.size() > most ? many.data() : few.data();
  bool known = false, depends = false, floating = false;
  for (std::size_t i = 0; i < in.size(); ++i) {
    slots[i] = table_.find(in[i].id());
    known |= slots[i] != no_slot;
    depends |= live(slots[i]);
  }
  if (!known) return;
  for (const Tensor& t : out) floating |= is_floating(t.dtype());
  const bool flows = op.differentiable && depends && floating;

  entries_.push_back({&op, attrs, SiteScope::current(), detail::current_scope,
                      static_cast<std::uint32_t>(slots_.size()), static_cast<std::uint32_t>(saved_.size()),
                      static_cast<std::uint32_t>(types_.size()), static_cast<std::uint32_t>(in.size()),
                      static_cast<std::uint32_t>(out.size())});
  slots_.insert(slots_.end(), slots, slots + in.size());
  for (const Tensor& t : out) slots_.push_back(table_.insert(t.id(), flows && is_floating(t.dtype()) ? 0 : blind));
  if (!flows) {
    ++blind_entries_;
    return;
  }
  for (std::size_t i = 0; i < in.size(); ++i)
    if (op.reads & reads::in(i)) saved_.push_back(in[i]);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (op.reads & reads::out(i)) saved_.push_back(out[i]);
  if (op.reads & reads::types)
    for (const Tensor& t : in) types_.push_back(t.type());
  if (out.size() > 1)  // a missing cotangent of one of several outputs is made as zeros
    for (const Tensor& t : out) types_.push_back(t.type());
}

void GradientTape::assigned(const std::shared_ptr<VariableState>&, const Tensor& from, const Tensor& to) {
  record(assign_op, {}, std::span(&from, 1), std::span(&to, 1));
}

GradientTape::Watched& GradientTape::watched(const std::shared_ptr<VariableState>& variable) {
  for (Watched& w : watched_)
    if (w.variable == variable) return w;
  return watched_.emplace_back(Watched{variable, {}});
}

void GradientTape::read(const std::shared_ptr<VariableState>& variable, const Tensor& value) {
  const bool wanted =
      (options_.watch_accessed_variables && variable->trainable()) ||
      std::any_of(watched_.begin(), watched_.end(), [&](const Watched& w) { return w.variable == variable; });
  if (!wanted || !is_floating(value.dtype())) return;
  const Slot slot = table_.insert(value.id());
  Watched& w = watched(variable);
  if (std::find(w.values.begin(), w.values.end(), slot) == w.values.end()) w.values.push_back(slot);
}

void GradientTape::watch_leaf(const Tensor& t) {
  check_thread();
  if (!t.defined()) throw ArgumentError("watch of an undefined tensor");
  if (is_floating(t.dtype()))
    table_.insert(t.id());
  else if (integer_warnings++ < 5)
    warn("watch: {} has no gradient; only float tensors have", t.type().text());
}

void GradientTape::watch_leaf(const Variable& v) {
  check_thread();
  if (!v.defined()) throw ArgumentError("watch of an undefined variable");
  watched(v.state());
  v.value();  // tells this tape, if it is recording
  if (!recording_) read(v.state(), v.state()->value);
}

Tensor GradientTape::target_value(const Variable& v) {
  const Tensor value = v.value();
  if (!recording_) read(v.state(), value);
  return value;
}

std::vector<std::shared_ptr<VariableState>> GradientTape::watched_variables() const {
  std::vector<std::shared_ptr<VariableState>> list;
  for (const Watched& w : watched_) list.push_back(w.variable);
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a->number < b->number; });
  return list;
}

// ---- gradients ----
std::vector<Tensor> GradientTape::compute(std::span<const Tensor> targets, std::span<const Source> sources,
                                          const GradientOptions& options) {
  check_thread();
  const auto& seeds = options.output_gradients;
  try {
    if (options.unconnected != Unconnected::none && options.unconnected != Unconnected::zero)
      throw ArgumentError(
          fmt::format("unknown value for unconnected gradients: {}", static_cast<int>(options.unconnected)));
    if (used_ && !options_.persistent)
      throw GradError("it can only be called once on a tape that is not persistent",
                      "GradientTape tape({.persistent = true})");
    if (!seeds.empty() && seeds.size() != targets.size())
      throw GradError(fmt::format("{} output gradients for {} targets", seeds.size(), targets.size()));
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (!targets[i].defined())
        throw GradError(fmt::format("target {} is undefined", i), "the gradient of a gradient that does not exist?");
      if (table_.find(targets[i].id()) == no_slot) check_seen(tracer_, targets[i]);
      if (seeds.empty() || !seeds[i].defined()) continue;
      detail::check_same_type(seeds[i].type(), targets[i].type(), [&] {
        return fmt::format("output gradient {} is {}, its target {}", i, seeds[i].type().text(),
                           targets[i].type().text());
      });
    }
  } catch (Error& e) {
    const std::string made = site_text(site_);
    e.locate("gradient", made.empty() ? std::vector<std::string>() : std::vector{"tape  made at " + made}, "");
    throw;
  }
  if (options_.persistent && recording_ && inside_warnings++ == 0)
    warn(
        "gradient() of a persistent tape within its scope records the gradient's ops too: stop() the tape first if no "
        "higher derivative is wanted; the tape was made{}",
        at_line(site_));
  used_ = true;
  // Inside its own scope a tape that is not persistent stops first: what follows is not for it.
  if (!options_.persistent && recording_) stop();
  const struct Release {
    GradientTape& tape;
    ~Release() {
      if (!tape.options_.persistent) tape.clear();
    }
  } release{*this};

  const detail::ProfilePhase phase("tape replay");
  std::vector<Tensor> cotangents(table_.size());
  const auto accumulate = [](Tensor& sum, const Tensor& t) { sum = sum.defined() ? sum + t : t; };
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Slot slot = is_floating(targets[i].dtype()) ? table_.find(targets[i].id()) : no_slot;
    if (!live(slot)) continue;
    const bool given = !seeds.empty() && seeds[i].defined();
    accumulate(cotangents[slot],
               given ? seeds[i] : broadcast_to(Arg(1).tensor(targets[i].dtype()), targets[i].shape()));
  }
  std::vector<std::vector<Slot>> wanted(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) wanted[i] = slots_of(sources[i]);
  std::vector<bool> keep(cotangents.size());
  for (const auto& list : wanted)
    for (const Slot slot : list) keep[slot] = true;
  replay(cotangents, keep, !options_.persistent);

  std::vector<Tensor> results(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (const Slot slot : wanted[i])
      if (cotangents[slot].defined()) accumulate(results[i], cotangents[slot]);
    if (results[i].defined()) {
      results[i] = contiguous(results[i]);
    } else if (options.unconnected == Unconnected::zero) {
      const Tensor& like = sources[i].variable ? sources[i].variable->value : sources[i].tensor;
      if (like.defined()) results[i] = contiguous(broadcast_to(Arg(0).tensor(like.dtype()), like.shape()));
    }
  }
  return results;
}

std::vector<GradientTape::Slot> GradientTape::slots_of(const Source& source) const {
  if (source.variable) {
    for (const Watched& w : watched_)
      if (w.variable == source.variable) return w.values;
  } else if (source.tensor.defined() && is_floating(source.tensor.dtype())) {
    if (const Slot slot = table_.find(source.tensor.id()); live(slot)) return {slot};
  }
  return {};
}

}  // namespace weft
