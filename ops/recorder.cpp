#include "recorder.h"

#include <algorithm>
#include <vector>

namespace weft {
namespace {

struct ThreadState {
  std::vector<Recorder*> recorders;
  std::size_t base = 0;                   // those below are hidden by a trace
  const Recorder* hidden_from = nullptr;  // it and those above are hidden while it works
  std::size_t limit = SIZE_MAX;           // where it is
  Tracer* tracer = nullptr;
};
thread_local ThreadState state;

// SIZE_MAX for null and for one that is not there.
std::size_t place_of(const Recorder* recorder) {
  if (!recorder) return SIZE_MAX;
  const auto at = std::find(state.recorders.begin(), state.recorders.end(), recorder);
  return at == state.recorders.end() ? SIZE_MAX : static_cast<std::size_t>(at - state.recorders.begin());
}

void hide_from(const Recorder* recorder) {
  state.hidden_from = recorder;
  state.limit = place_of(recorder);
}

}  // namespace

std::span<Recorder* const> active_recorders() {
  const std::size_t end = std::min(state.recorders.size(), state.limit);
  return end <= state.base ? std::span<Recorder* const>{}
                           : std::span<Recorder* const>(state.recorders).subspan(state.base, end - state.base);
}

Tracer* active_tracer() { return state.tracer; }

void check_seen(const Tracer* since, const Tensor& t) {
  if (t.is_traced() && since != active_tracer())
    throw GuardError("the value was computed in a function that is traced, where what records outside sees no op",
                     "record inside it, or ask outside");
}

void push_recorder(Recorder* recorder) {
  const std::size_t at = std::min(state.recorders.size(), state.limit);
  state.recorders.insert(state.recorders.begin() + static_cast<std::ptrdiff_t>(at), recorder);
  if (state.hidden_from) ++state.limit;
}

void pop_recorder(Recorder* recorder) {
  const auto at = std::find(state.recorders.rbegin(), state.recorders.rend(), recorder);
  if (at == state.recorders.rend()) return;
  state.recorders.erase(std::next(at).base());
  hide_from(state.hidden_from);
}

TraceScope::TraceScope(Tracer* tracer)
    : previous_(state.tracer), previous_base_(state.base), previous_hidden_(state.hidden_from) {
  state.tracer = tracer;
  if (tracer) detail::watchers.fetch_add(1, std::memory_order_relaxed);
  state.base = state.recorders.size();
  hide_from(nullptr);
}

TraceScope::~TraceScope() {
  if (state.tracer) detail::watchers.fetch_sub(1, std::memory_order_relaxed);
  state.tracer = previous_;
  state.base = previous_base_;
  hide_from(previous_hidden_);
}

HideFrom::HideFrom(const Recorder* recorder) : previous_(state.hidden_from) {
  if (place_of(recorder) < state.limit) hide_from(recorder);
}

HideFrom::~HideFrom() { hide_from(previous_); }

}  // namespace weft
