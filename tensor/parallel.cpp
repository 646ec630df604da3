// The team is libgomp's, because Debian's and Ubuntu's oneDNN runs on it: a second pool of spinning threads beside it
// costs 20x. libgomp is called by its C names, so that clang, whose -fopenmp means another runtime, builds this too.
//
// Waiting: a spinning worker starts in 0.5 us, a sleeping one in 7 to 60. libgomp reads OMP_WAIT_POLICY before any
// code of ours runs, but its default is what we want: with no variable set, and no more threads than CPUs, a worker
// spins for 300000 turns (measured: 5 to 10 ms), then sleeps, so an idle program burns nothing. Only
// OMP_WAIT_POLICY=passive, GOMP_SPINCOUNT=0, or more threads in the process than CPUs take that away.
//
// libgomp keeps one team per calling thread. While two exist it counts them together, finds more threads than CPUs,
// and stops spinning (0.5 becomes 13 us). So one thread owns the team; it changes hands only when the owner ends or has
// not used it for a while. Everybody else runs on their own thread.
#include "parallel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string_view>

#include "warn.h"

extern "C" {
void GOMP_parallel(void (*body)(void*), void* context, unsigned threads, unsigned flags);
void omp_set_num_threads(int n);
int omp_get_max_threads();
int omp_get_thread_num();
}

namespace weft {
namespace {

constexpr int max_team = 1024;
constexpr std::int64_t lease_ns = 100'000'000;

int machine_cpus() {
  static const int n = static_cast<int>(std::clamp(sysconf(_SC_NPROCESSORS_ONLN), 1l, long{max_team}));
  return n;
}

int usable_cpus() {
  cpu_set_t set;  // more than its 1024 CPUs make the call fail
  if (sched_getaffinity(0, sizeof set, &set) != 0) return machine_cpus();
  return std::clamp(CPU_COUNT(&set), 1, max_team);
}

/// What `name` asks for, with a warning where that cannot be had; 0 if it says nothing.
int from_environment(const char* name, bool list) {
  const char* text = std::getenv(name);
  if (!text || !*text) return 0;
  char* end = nullptr;
  errno = 0;
  const long wish = std::strtol(text, &end, 10);
  while (*end == ' ') ++end;
  if (end == text || (*end && !(list && *end == ','))) {  // OMP_NUM_THREADS may go on for nested teams: "4,2"
    warn("{}={}: not a number; {} threads are used", name, text, usable_cpus());
    return usable_cpus();
  }
  const int n = static_cast<int>(std::clamp(wish, 1l, long{machine_cpus()}));
  if (n != wish) warn("{}={}: must be from 1 to {}; {} is used", name, text, machine_cpus(), n);
  return n;
}

int choose() {
  if (const int n = from_environment("WEFT_NUM_THREADS", false)) return n;
  if (const int n = from_environment("OMP_NUM_THREADS", true)) return n;
  return usable_cpus();
}

std::atomic<int>& setting() {
  static std::atomic<int> n{choose()};
  return n;
}

// ---- who may use the team

std::atomic_flag busy;                    // a parallel region is running
std::atomic<const void*> owner{nullptr};  // whose libgomp team is alive; read and written with `busy` held
std::int64_t last_use = 0;
std::atomic<bool> team_started{false}, forked{false};

std::int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);  // 5 ns; a tick of 4 ms is fine enough
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

/// Its address names this thread; its end gives the team back, which libgomp ends with the thread.
struct Me {
  ~Me() {
    const void* self = this;
    owner.compare_exchange_strong(self, nullptr);
  }
};
thread_local Me me;

bool take_team() {
  if (forked.load(std::memory_order_relaxed) || busy.test_and_set(std::memory_order_acquire)) return false;
  const std::int64_t t = now();
  const void* holder = owner.load(std::memory_order_relaxed);
  if (holder != &me) {
    if (holder && t - last_use < lease_ns) {
      busy.clear(std::memory_order_release);
      return false;
    }
    owner.store(&me, std::memory_order_relaxed);
  }
  last_use = t;
  return true;
}

void start_once() {
  if (team_started.exchange(true)) return;
  // A child of fork() has the team's bookkeeping but not its threads: starting it would hang. It runs alone.
  pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
}

// ---- the tasks of one region

/// Each thread first takes its own share, so that the same data meets the same core's cache in every call, then helps
/// the others: a thread that the kernel has put aside for a few ms, or that never came, holds nothing up.
struct alignas(64) Share {
  std::atomic<std::int64_t> next;
  std::int64_t end;
};
Share shares[max_team];  // guarded by `busy`

struct Region {
  void (*body)(void*, std::int64_t);
  void* context;
  int threads;
};

void work(void* region) {
  const auto& r = *static_cast<const Region*>(region);
  const int self = omp_get_thread_num();
  if (self >= r.threads) return;
  for (int turn = 0; turn < r.threads; ++turn) {
    Share& s = shares[(self + turn) % r.threads];
    if (s.next.load(std::memory_order_relaxed) >= s.end) continue;
    for (std::int64_t i; (i = s.next.fetch_add(1, std::memory_order_relaxed)) < s.end;) r.body(r.context, i);
  }
}

}  // namespace

int num_threads() { return setting().load(std::memory_order_relaxed); }

void set_num_threads(int n) {
  const int kept = std::clamp(n, 1, machine_cpus());
  if (kept != n) warn("set_num_threads({}): must be from 1 to {}; {} is used", n, machine_cpus(), kept);
  setting().store(kept, std::memory_order_relaxed);
}

detail::TeamSize::TeamSize(int n) : before_(omp_get_max_threads()) { omp_set_num_threads(n); }

detail::TeamSize::~TeamSize() { omp_set_num_threads(before_); }

void detail::parallel_run(std::int64_t tasks, int threads, void (*body)(void*, std::int64_t), void* context) {
  threads = static_cast<int>(std::min<std::int64_t>({tasks, threads, max_team}));
  if (threads <= 1 || !take_team()) {
    for (std::int64_t i = 0; i < tasks; ++i) body(context, i);
    return;
  }
  start_once();
  for (int t = 0; t < threads; ++t) {
    shares[t].next.store(tasks * t / threads, std::memory_order_relaxed);
    shares[t].end = tasks * (t + 1) / threads;
  }
  Region region{body, context, threads};
  // Always the whole team: libgomp ends the threads that a smaller one leaves over and makes them anew for a larger.
  GOMP_parallel(work, &region, static_cast<unsigned>(std::max(threads, num_threads())), 0);
  busy.clear(std::memory_order_release);
}

}  // namespace weft
