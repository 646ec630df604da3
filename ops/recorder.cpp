#include "recorder.h"

#include <algorithm>
#include <vector>

namespace weft {
namespace {

struct ThreadState {
  std::vector<Recorder*> recorders;
  std::size_t base = 0;          // those below are hidden by a trace
  std::size_t limit = SIZE_MAX;  // those from here on are hidden while one of them works
  Tracer* tracer = nullptr;
  std::source_location site;
  bool in_call = false;
};
thread_local ThreadState state;

}  // namespace

std::span<Recorder* const> active_recorders() {
  const std::size_t end = std::min(state.recorders.size(), state.limit);
  return end <= state.base ? std::span<Recorder* const>{}
                           : std::span<Recorder* const>(state.recorders).subspan(state.base, end - state.base);
}

Tracer* active_tracer() { return state.tracer; }

void push_recorder(Recorder* recorder) { state.recorders.push_back(recorder); }

void pop_recorder(Recorder* recorder) {
  const auto at = std::find(state.recorders.rbegin(), state.recorders.rend(), recorder);
  if (at != state.recorders.rend()) state.recorders.erase(std::next(at).base());
}

bool is_recording(const Recorder* recorder) {
  return std::find(state.recorders.begin(), state.recorders.end(), recorder) != state.recorders.end();
}

TraceScope::TraceScope(Tracer* tracer)
    : previous_(state.tracer), previous_base_(state.base), size_(state.recorders.size()) {
  state.tracer = tracer;
  state.base = size_;
}

TraceScope::~TraceScope() {
  state.tracer = previous_;
  state.base = previous_base_;
}

HideFrom::HideFrom(const Recorder* recorder) : previous_(state.limit) {
  const auto at = std::find(state.recorders.begin(), state.recorders.end(), recorder);
  state.limit = std::min(state.limit, static_cast<std::size_t>(at - state.recorders.begin()));
}

HideFrom::~HideFrom() { state.limit = previous_; }

SiteScope::SiteScope(const std::source_location& site) : outermost_(!state.in_call) {
  if (!outermost_) return;
  state.in_call = true;
  state.site = site;
}

SiteScope::~SiteScope() {
  if (!outermost_) return;
  state.in_call = false;
  state.site = {};
}

const std::source_location& SiteScope::current() { return state.site; }

}  // namespace weft
