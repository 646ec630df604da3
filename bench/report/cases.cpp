// A case: made when its turn comes, verified once, then timed.
#include <benchmark/benchmark.h>

#include <weft/ops/work.h>

#include "../bench.h"
#include "compiled.h"
#include "machine.h"
#include "memory.h"
#include "outcome.h"
#include "run.h"

namespace weft::bench {
namespace {

using benchmark::Counter;

// What a call computes and moves, and the least time that the machine allows for it, one op or kernel after the other.
struct Work {
  double flops = 0, bytes = 0, seconds = 0;
};

Work counted(const std::function<void()>& step) {
  Profiler profiler;
  step();
  profiler.stop();
  Work work;
  for (const ProfileRow& row : profiler.rows(ProfileBy::op, roofline())) {
    work.flops += row.flops;
    work.bytes += row.bytes;
    work.seconds += row.roof * row.self_seconds;
  }
  return work;
}

// Its scope has at most so many threads; 0: as many as there are.
class ThreadLimit {
 public:
  explicit ThreadLimit(int most) : before_(num_threads()) {
    if (most > 0 && most < before_) set_num_threads(most);
  }
  ~ThreadLimit() { set_num_threads(before_); }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_;
};

// Google calls a benchmark once for each repetition, and before, to find out how often it fits the time. What was made
// for the first call serves the others.
struct Ready {
  int id = -1;  // the benchmark's: two may have the same name
  std::string wrong;
  Case made;
  Work work = {};
  Outcome outcome = {};
};
Ready& current = *new Ready;  // never destroyed: what it holds must not outlive the library's statics

// Of the exception that is being handled, whatever it is: the others run.
std::string what_was_thrown() {
  try {
    throw;
  } catch (const std::exception& e) { return e.what(); } catch (...) {
    return "it threw what is no std::exception";
  }
}

Ready& ready(int id, const std::function<Case()>& make) {
  if (current.id == id) return current;
  current = {};  // two large models might not fit
  current.id = id;
  try {
    current.made = make();
    for (int i = 0; i < 5; ++i) current.made.step();
    if (current.made.verify) current.wrong = current.made.verify();
    if (current.wrong.empty()) current.work = counted(current.made.step);
  } catch (...) { current.wrong = what_was_thrown(); }
  return current;
}

void time(benchmark::State& state, const Facts& facts, const Ready& ready) {
  const Case& c = ready.made;
  c.step();  // the caches are this case's again
  const MemoryWatch memory;
  for (auto _ : state) c.step();
  memory.report(state, facts.repeats);
  const double parts = static_cast<double>(state.iterations()) * facts.repeats;
  const auto rate = [&](const char* name, double of_one) {
    if (of_one > 0) state.counters[name] = Counter(of_one * parts, Counter::kIsRate);
  };
  state.SetItemsProcessed(static_cast<std::int64_t>(parts * facts.items));
  const double flops = facts.flops > 0 ? facts.flops : ready.work.flops / facts.repeats,
               bytes = facts.bytes > 0 ? facts.bytes : ready.work.bytes / facts.repeats;
  rate("FLOP/s", flops);
  rate("B/s", bytes);
  if (flops > 0 && bytes > 0) state.counters["flop/byte"] = flops / bytes;
  // 1 is as fast as arithmetic units and memory let it be
  const bool known = facts.flops > 0 || facts.bytes > 0;
  rate("roof", known ? roofline().seconds(bytes, bytes, multiply_adds(flops / 2, facts.dtype))
                     : ready.work.seconds / facts.repeats);
  if (facts.threads > 0) state.counters["threads_used"] = num_threads();
  if (facts.repeats > 1) state.counters["op_time"] = Counter(parts, Counter::kIsRate | Counter::kInvert);
  if (c.stats) report(state, c.stats());
}

}  // namespace

std::string detail::not_finite(const std::vector<Tensor>& results) {
  for (std::size_t k = 0; k < results.size(); ++k)
    if (is_floating(results[k].dtype()) && !all(isfinite(results[k])).item<bool>())
      return "result " + std::to_string(k) + " is not finite";
  return "";
}

void detail::release_case() { current = {}; }

void add_case(const std::string& name, const Facts& facts, std::function<Case()> make) {
  if (facts.repeats < 1) throw ArgumentError("bench: repeats is " + std::to_string(facts.repeats), "from 1");
  if (facts.threads < 0) throw ArgumentError("bench: threads is " + std::to_string(facts.threads), "from 0");
  static int cases = 0;
  benchmark::RegisterBenchmark(name.c_str(),
                               [=, id = cases++](benchmark::State& state) {
                                 const ThreadLimit limit(facts.threads);
                                 Ready& r = ready(id, make);
                                 if (r.wrong.empty()) try {
                                     time(state, facts, r);
                                     return r.outcome.timed(state);
                                   } catch (...) { r.wrong = what_was_thrown(); }
                                 r.outcome.failed(state, r.wrong);
                               })
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

}  // namespace weft::bench
