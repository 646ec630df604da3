#include "profile_log.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "site.h"

namespace weft::detail {
namespace {

// One reading of both clocks.
struct Clocks {
  std::int64_t ticks = profile_ticks();
  std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
};

struct Session {
  std::mutex mutex;
  std::vector<std::unique_ptr<ProfileLog>> logs;
  int profilers = 0, threads = 0;
  std::uint32_t number = 0;
  const Clocks begun;
};
Session& sessions() {
  static Session& s = *new Session;  // outlives every thread
  return s;
}

constinit std::atomic<std::uint32_t> running{0};  // the session's number; 0: none
constinit std::atomic<int> members{0};            // threads that have a log in it

// Here, in a file that every program links.
[[maybe_unused]] const bool program_is_profiled = profile_program();

thread_local ProfileLog* own = nullptr;
thread_local bool gone = false;
struct Member {
  ~Member() {
    gone = true;
    if (own) own->ended = true;
    own = nullptr;
  }
};

[[gnu::noinline]] ProfileLog* join() {
  if (gone) return nullptr;
  thread_local Member member;
  static_cast<void>(member);
  Session& s = sessions();
  const std::lock_guard lock(s.mutex);
  own = s.logs.emplace_back(std::make_unique<ProfileLog>()).get();
  own->number = s.threads++;
  return own;
}

void store(std::atomic<std::int64_t>& to, std::int64_t n) { to.store(n, std::memory_order_relaxed); }
std::int64_t load(const std::atomic<std::int64_t>& from) { return from.load(std::memory_order_relaxed); }

// Changes a node's numbers so that a reader sees all of them or none.
template <class F> void change(ProfileNode& n, F f) {
  const std::uint32_t v = n.version.load(std::memory_order_relaxed);
  n.version.store(v + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  f();
  n.version.store(v + 2, std::memory_order_release);
}

}  // namespace

ProfileLog* ProfileLog::mine() {
  const std::uint32_t now = running.load(std::memory_order_acquire);
  if (!now) return nullptr;
  ProfileLog* const log = own ? own : join();
  if (log && log->session.load(std::memory_order_relaxed) != now) log->restart(now);
  return log;
}

void ProfileLog::restart(std::uint32_t now) {
  const std::lock_guard lock(mutex);
  by_key_.clear();
  nodes.clear();
  events.clear();
  memory.clear();
  current_ = last_ = nullptr;
  tick_ = profile_ticks();
  members.fetch_add(1, std::memory_order_relaxed);
  session.store(now, std::memory_order_release);
}

ProfileNode* ProfileLog::search(std::uint64_t key, ProfileItem (*describe)(const void*), const void* context) {
  std::uint64_t place = key;
  if (current_) place ^= (std::uint64_t{current_->index} + 1) * 0x9E3779B97F4A7C15u;
  ProfileNode*& node = by_key_[place];
  if (!node) {
    ProfileItem item = describe(context);
    const std::lock_guard lock(mutex);
    node = &nodes.emplace_back(current_, key, static_cast<std::uint32_t>(nodes.size()), std::move(item));
  }
  return node;
}

ProfileNode* ProfileLog::enter(std::uint64_t key, ProfileItem (*describe)(const void*), const void* context) {
  ProfileNode*& last = current_ ? current_->last : last_;
  ProfileNode* node = last ? last->after : nullptr;
  if (!node || node->key != key) {
    node = search(key, describe, context);
    if (last) last->after = node;
  }
  last = current_ = node;
  change(*node, [&] {
    store(node->calls, load(node->calls) + 1);
    store(node->begun, tick_ = profile_ticks());
  });
  return node;
}

void ProfileLog::leave(ProfileNode* node) {
  const std::int64_t begin = load(node->begun), end = tick_ = profile_ticks();
  change(*node, [&] {
    store(node->ticks, load(node->ticks) + end - begin);
    store(node->begun, 0);
  });
  events.push({node, begin, end}, mutex);
  current_ = node->parent;
}

// The clock is most of what a small op costs here. A lone thread's small blocks do without it: their order is that of
// the log. Another thread has joined before it can know one of their addresses.
void ProfileLog::block(const void* block, std::int64_t bytes) {
  constexpr std::int64_t small = 64 << 10;
  if (memory.size() < memory.limit && (std::abs(bytes) > small || members.load(std::memory_order_relaxed) > 1))
    tick_ = profile_ticks();
  memory.push({block, bytes, current_, tick_}, mutex);
}

void* profile_chunk() {
  void* const p = std::aligned_alloc(profile_chunk_bytes, profile_chunk_bytes);
  if (!p) throw std::bad_alloc();
  madvise(p, profile_chunk_bytes, MADV_HUGEPAGE);
  return p;
}

std::uint32_t begin_session() {
  Session& s = sessions();
  const std::lock_guard lock(s.mutex);
  if (s.profilers++ == 0) {
    std::erase_if(s.logs, [](const auto& log) { return log->ended.load(); });
    members.store(0, std::memory_order_relaxed);
    running.store(++s.number, std::memory_order_release);
  }
  watchers.fetch_add(one_profiler, std::memory_order_relaxed);
  return s.number;
}

void end_session() {
  Session& s = sessions();
  const std::lock_guard lock(s.mutex);
  watchers.fetch_sub(one_profiler, std::memory_order_relaxed);
  if (--s.profilers == 0) running.store(0, std::memory_order_release);
}

void each_log(std::uint32_t number, const std::function<void(const ProfileLog&)>& visit) {
  Session& s = sessions();
  const std::lock_guard lock(s.mutex);
  for (const auto& log : s.logs)
    if (log->session.load(std::memory_order_acquire) == number) visit(*log);
}

std::uint64_t line_key() {
  const Site& site = SiteScope::current();
  return (reinterpret_cast<std::uintptr_t>(site.file_name()) + site.line() * 4096 + site.column()) *
         0x9E3779B97F4A7C15u;
}

double nanoseconds_per_tick() {
  using namespace std::chrono_literals;
  Clocks now;
  while (now.time - sessions().begun.time < 5ms) now = {};
  const std::chrono::duration<double, std::nano> passed = now.time - sessions().begun.time;
  return passed.count() / static_cast<double>(now.ticks - sessions().begun.ticks);
}

void profile_block(const void* block, std::int64_t bytes) {
  if (ProfileLog* log = ProfileLog::mine()) log->block(block, bytes);
}

void ProfileSpan::begin(std::uint64_t key, ProfileItem (*describe)(const void*), const void* context) {
  ProfileLog* const log = ProfileLog::mine();
  if (!log) return;
  node_ = log->enter(key, describe, context);
  log_ = log;
  session_ = log->session.load(std::memory_order_relaxed);
}

// Where the session in which it began is over, its node may be gone.
void ProfileSpan::end() {
  if (log_->session.load(std::memory_order_relaxed) == session_) log_->leave(node_);
}

void ProfilePhase::begin(const char* name) {
  span_.begin(
      reinterpret_cast<std::uintptr_t>(name) ^ line_key(),
      [](const void* n) {
        return ProfileItem{ProfileKind::phase, static_cast<const char*>(n), "", {SiteScope::origin()}};
      },
      name);
}

}  // namespace weft::detail
