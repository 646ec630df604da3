#include <benchmark/benchmark.h>

#include "cases.h"
#include "numbers.h"

namespace bench {
namespace {

void run(benchmark::State& state, const Work& work, Mode mode) {
  using benchmark::Counter;
  const Step step = work.make(mode);
  for (int i = 0; i < 5; ++i) step.run();
  const double value = check(step.results());
  if (!agrees(work, value)) {
    state.SkipWithError(("check " + std::to_string(value) + " is not " + std::to_string(work.check)).c_str());
    return;
  }
  const std::int64_t before = weft::memory_stats().allocations;
  std::int64_t steps = 0;
  for (auto _ : state) {
    step.run();
    ++steps;
  }
  const double allocations = static_cast<double>(weft::memory_stats().allocations - before);
  const double ops = static_cast<double>(steps) * work.per_step;
  state.SetItemsProcessed(static_cast<std::int64_t>(ops * work.items));
  state.counters["allocs"] = allocations / ops;
  // as times, one op: what a step repeats is no part of the name
  if (work.per_step > 1) state.counters["op_time"] = Counter(ops, Counter::kIsRate | Counter::kInvert);
  if (work.flops > 0) state.counters["FLOP/s"] = Counter(work.flops * ops, Counter::kIsRate);
  if (work.bytes > 0) state.counters["B/s"] = Counter(work.bytes * ops, Counter::kIsRate);
  if (step.stats) {
    const weft::CompileStats s = step.stats();
    state.counters["launches"] = static_cast<double>(s.launches);
    state.counters["kernels"] = static_cast<double>(s.kernels);
    state.counters["library"] = static_cast<double>(s.library_calls);
    state.counters["arena"] = static_cast<double>(s.arena_bytes);
  }
}

}  // namespace

void register_models(const std::vector<Work>& works, const std::vector<Mode>& modes) {
  for (const Work& work : works)
    for (const Mode mode : modes)
      benchmark::RegisterBenchmark(("models/" + work.name + "/" + name_of(mode)).c_str(),
                                   [work, mode](benchmark::State& state) { run(state, work, mode); })
          ->Unit(benchmark::kMicrosecond)
          ->UseRealTime();
}

}  // namespace bench
