#include "profiler.h"

#include <algorithm>
#include <tuple>

#include "profile_result.h"
#include "storage.h"

namespace weft {
namespace {

using detail::ProfileLog;
using detail::ProfileNode;

struct Numbers {
  std::int64_t calls = 0, ticks = 0, begun = 0;  // begun: 0 if it did not run at that time
};

// A node's numbers as they were at the tick `now`.
Numbers numbers_of(const ProfileNode& n, std::int64_t now) {
  for (;;) {
    const std::uint32_t version = n.version.load(std::memory_order_acquire);
    Numbers found{n.calls.load(std::memory_order_relaxed), n.ticks.load(std::memory_order_relaxed),
                  n.begun.load(std::memory_order_relaxed)};
    std::atomic_thread_fence(std::memory_order_acquire);
    if (version % 2 != 0 || n.version.load(std::memory_order_relaxed) != version) continue;
    if (found.begun && found.begun < now) found.ticks += now - found.begun;
    return found;
  }
}

}  // namespace

struct Profiler::Start {
  struct Log {
    std::vector<Numbers> nodes;
    std::size_t events = 0, events_dropped = 0, blocks = 0, blocks_dropped = 0;
  };
  std::uint32_t session;
  int thread;              // number of the log of the thread that began it
  std::vector<Log> logs;   // by number
  std::int64_t bytes = 0;  // that lived
  std::int64_t tick = 0;
};

Profiler::Profiler() : start_(std::make_unique<Start>()) {
  start_->session = detail::begin_session();
  const ProfileLog* own = ProfileLog::mine();
  start_->thread = own ? own->number : -1;
  start_->bytes = memory_stats().live_bytes;
  start_->tick = detail::profile_ticks();
  detail::each_log(start_->session, [&](const ProfileLog& log) {
    const std::lock_guard lock(log.mutex);
    start_->logs.resize(std::max(start_->logs.size(), static_cast<std::size_t>(log.number) + 1));
    Start::Log& at = start_->logs[static_cast<std::size_t>(log.number)];
    for (const ProfileNode& n : log.nodes) at.nodes.push_back(numbers_of(n, start_->tick));
    at.events = log.events.size(), at.events_dropped = log.events.dropped();
    at.blocks = log.memory.size(), at.blocks_dropped = log.memory.dropped();
  });
}

Profiler::~Profiler() {
  if (!result_) detail::end_session();
}

void Profiler::stop() {
  if (result_) return;
  result_ = std::make_unique<Result>(collect());
  detail::end_session();
}

Profiler::Result Profiler::collect() const {
  if (result_) return *result_;
  const std::int64_t now = detail::profile_ticks();
  const double ns = detail::nanoseconds_per_tick();
  const auto seconds = [&](std::int64_t ticks) { return 1e-9 * ns * static_cast<double>(ticks); };
  const auto since_start = [&](std::int64_t tick) {
    return static_cast<std::int64_t>(ns * static_cast<double>(std::clamp(tick, start_->tick, now) - start_->tick));
  };
  Result r;
  r.seconds = seconds(now - start_->tick);
  r.bytes_before = start_->bytes;
  detail::each_log(start_->session, [&](const ProfileLog& log) {
    const std::lock_guard lock(log.mutex);
    const auto number = static_cast<std::size_t>(log.number);
    const Start::Log start = number < start_->logs.size() ? start_->logs[number] : Start::Log();
    const auto root = static_cast<int>(r.nodes.size());
    const bool own = log.number == start_->thread;
    r.nodes.push_back({});
    std::vector<Result::Event> open;
    for (const ProfileNode& n : log.nodes) {
      const Numbers before = n.index < start.nodes.size() ? start.nodes[n.index] : Numbers();
      const Numbers after = numbers_of(n, now);
      const int parent = n.parent ? root + 1 + static_cast<int>(n.parent->index) : root;
      const double total = seconds(std::max<std::int64_t>(0, after.ticks - before.ticks));
      r.nodes.push_back({n.item, parent, after.calls - before.calls, total, total});
      if (n.parent || !own) r.nodes[static_cast<std::size_t>(parent)].self -= total;
      if (!n.parent) r.nodes[static_cast<std::size_t>(root)].total += total;
      if (after.begun && after.begun < now)
        open.push_back({r.nodes.size() - 1, log.number, since_start(after.begun), since_start(now)});
    }
    Result::Node& thread = r.nodes[static_cast<std::size_t>(root)];
    if (own) {
      thread.self = r.seconds - thread.total;
      thread.total = r.seconds;
    } else {
      thread.self = 0;  // what it does outside of spans is not ours to know
    }
    for (auto n = r.nodes.begin() + root; n != r.nodes.end(); ++n)
      if (!own) n->self = std::max(0.0, n->self);  // it may be at work now
    const std::size_t events = log.events.size(), blocks = log.memory.size();
    for (std::size_t i = start.events; i < events; ++i) {
      const detail::ProfileEvent& e = log.events[i];
      if (e.begin < now)
        r.events.push_back(
            {static_cast<std::size_t>(root) + 1 + e.node->index, log.number, since_start(e.begin), since_start(e.end)});
    }
    r.events.insert(r.events.end(), open.begin(), open.end());
    r.events_left_out += log.events.dropped() - start.events_dropped;
    for (std::size_t i = start.blocks; i < blocks; ++i) {
      const detail::MemoryEvent& m = log.memory[i];
      if (m.tick < now)
        r.blocks.push_back({m.block, m.bytes, m.tick, m.node ? m.node->item : nullptr,
                            1e-9 * static_cast<double>(since_start(m.tick))});
    }
    r.blocks_left_out += log.memory.dropped() - start.blocks_dropped;
    if (own || r.nodes.size() > static_cast<std::size_t>(root) + 1) ++r.threads;
  });
  std::stable_sort(r.blocks.begin(), r.blocks.end(), [](const auto& a, const auto& b) { return a.tick < b.tick; });
  // A node comes after the one around it, and so its event, of two that begin and end at the same time.
  std::sort(r.events.begin(), r.events.end(), [](const auto& a, const auto& b) {
    return std::tie(a.thread, a.begin, b.end, a.node) < std::tie(b.thread, b.begin, a.end, b.node);
  });
  return r;
}

double Profiler::seconds() const { return result_ ? result_->seconds : collect().seconds; }
std::vector<ProfileRow> Profiler::rows(ProfileBy by, bool roof) const {
  return collect().rows(by, roof ? &detail::profile_roofline() : nullptr);
}
std::vector<ProfileRow> Profiler::rows(ProfileBy by, const Roofline& roof) const { return collect().rows(by, &roof); }
MemoryProfile Profiler::memory() const { return collect().memory(); }

}  // namespace weft
