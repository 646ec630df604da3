// A team of our own: the calling thread and workers that spin for a while after a region, then sleep.
//
// Why not libgomp's: its regions end in a barrier over the whole team. Where another process holds a worker's CPU,
// every region waits for the scheduler (measured with a busy machine: 4 to 20 ms for 8 us of work); and it keeps one
// team per calling thread, which stop spinning as soon as two exist. Here the caller takes tasks at once, whoever comes
// helps, and it waits only for workers that have begun. oneDNN, which runs on libgomp, never opens a region of its own:
// every primitive is built and run for one thread (detail::TeamSize), inside our regions.
#include "parallel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string_view>
#include <system_error>
#include <thread>

#include "denormals.h"
#include "warn.h"

extern "C" {
void omp_set_num_threads(int n);
int omp_get_max_threads();
}

namespace weft {
namespace {

constexpr int max_team = 1024;
constexpr std::int64_t spin_ns = 2'000'000;  // a sleeping worker needs 7 to 60 us to come, a spinning one 0.2

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
int from_environment(const char* name, bool openmp) {
  const char* text = std::getenv(name);
  if (!text || !*text) return 0;
  char* end = nullptr;
  errno = 0;
  const long wish = std::strtol(text, &end, 10);
  while (*end == ' ') ++end;
  const bool number = end != text && (!*end || (openmp && *end == ','));  // it may go on for nested teams: "4,2"
  if (openmp && (!number || wish < 1 || errno == ERANGE)) return 0;  // libgomp has said so, and takes it for not set
  if (!number) {
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

// ---- the tasks of one region

/// Each thread first takes its own share, so that the same data meets the same core's cache in every call, then helps
/// the others.
struct alignas(64) Share {
  std::atomic<std::int64_t> next;
  std::int64_t end;
};

struct Team {
  std::atomic_flag busy;  // a region is running; what follows to `gate` belongs to its caller
  void (*body)(void*, std::int64_t);
  void* context;
  int threads, workers = 0;
  unsigned float_mode;  // the caller's, so that the thread that takes a task changes no bit
  std::atomic<bool> spin{true};  // not where there are more threads than CPUs for them
  Share shares[max_team];

  // One word tells workers all they may read before they have joined: number of the region, whether it is open, how
  // many threads it wants, how many have joined. A worker that comes late finds it closed and has touched nothing.
  alignas(64) std::atomic<std::uint64_t> gate{0};
  alignas(64) std::atomic<std::uint32_t> left{0};  // joined workers that are done
  std::atomic<int> sleepers{0};
  std::mutex mutex;
  std::condition_variable wake;
};
constexpr std::uint64_t one_joined = 1, joined_mask = 0xfff, is_open = 0x1000, wanted_shift = 16, number_shift = 32;

Team& team() {
  static Team& t = *new Team;  // never destroyed: workers use it until the process ends
  return t;
}

std::int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

void pause() { __builtin_ia32_pause(); }

void work(Team& t, int self) {
  for (int turn = 0; turn < t.threads; ++turn) {
    Share& s = t.shares[(self + turn) % t.threads];
    if (s.next.load(std::memory_order_relaxed) >= s.end) continue;
    for (std::int64_t i; (i = s.next.fetch_add(1, std::memory_order_relaxed)) < s.end;) t.body(t.context, i);
  }
}

/// Waits for a region other than number `seen`; spins, then sleeps.
std::uint64_t next_gate(Team& t, std::uint64_t seen, std::int64_t until) {
  for (int turn = 1;; ++turn) {
    const std::uint64_t g = t.gate.load(std::memory_order_acquire);
    if (g >> number_shift != seen) return g;
    pause();
    if (turn % 64 == 0 && now() > until) break;
  }
  std::unique_lock lock(t.mutex);
  t.sleepers.fetch_add(1);
  t.wake.wait(lock, [&] { return t.gate.load() >> number_shift != seen; });
  t.sleepers.fetch_sub(1);
  return t.gate.load();
}

void worker(int self) {
  Team& t = team();
  std::uint64_t seen = 0;
  for (std::int64_t until = now() + spin_ns;;) {
    std::uint64_t g = next_gate(t, seen, until);
    seen = g >> number_shift;
    while ((g & is_open) && g >> number_shift == seen && static_cast<int>(g >> wanted_shift & 0xffff) > self) {
      if (!t.gate.compare_exchange_weak(g, g + one_joined, std::memory_order_acquire)) continue;
      detail::set_float_mode(t.float_mode);
      work(t, self);
      t.left.fetch_add(1, std::memory_order_release);
      until = t.spin.load(std::memory_order_relaxed) ? now() + spin_ns : 0;
      break;
    }
  }
}

/// Makes workers 1 .. wanted - 1. Without them regions still run, on fewer threads.
void hire(Team& t, int wanted) {
  if (t.workers == 0) {
    // A child of fork() has none of them; it makes its own.
    static const int once = pthread_atfork(nullptr, nullptr, [] { new (&team()) Team; });
    static_cast<void>(once);
  }
  t.spin.store(wanted <= usable_cpus(), std::memory_order_relaxed);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the program's threads
  try {
    for (; t.workers < wanted - 1; ++t.workers) std::thread(worker, t.workers + 1).detach();
  } catch (const std::system_error&) {}
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
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
  Team& t = team();
  threads = static_cast<int>(std::min<std::int64_t>({tasks, threads, max_team}));
  if (threads <= 1 || t.busy.test_and_set(std::memory_order_acquire)) {
    for (std::int64_t i = 0; i < tasks; ++i) body(context, i);
    return;
  }
  if (t.workers < threads - 1) hire(t, threads);
  t.body = body;
  t.context = context;
  t.threads = threads;
  t.float_mode = float_mode();
  for (int i = 0; i < threads; ++i) {
    t.shares[i].next.store(tasks * i / threads, std::memory_order_relaxed);
    t.shares[i].end = tasks * (i + 1) / threads;
  }
  t.left.store(0, std::memory_order_relaxed);
  const std::uint64_t number = (t.gate.load(std::memory_order_relaxed) >> number_shift) + 1;
  t.gate.store(number << number_shift | static_cast<std::uint64_t>(threads) << wanted_shift | is_open);
  if (t.sleepers.load() > 0) {
    const std::lock_guard lock(t.mutex);
    t.wake.notify_all();
  }
  work(t, 0);
  const auto joined = static_cast<std::uint32_t>(t.gate.fetch_and(~is_open, std::memory_order_acq_rel) & joined_mask);
  for (int turn = 0; t.left.load(std::memory_order_acquire) != joined; ++turn) {
    if (turn < 4000)
      pause();
    else
      sched_yield();  // it may need this CPU
  }
  t.busy.clear(std::memory_order_release);
}

}  // namespace weft
