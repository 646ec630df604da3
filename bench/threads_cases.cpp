// What a second thread is worth.
#include <benchmark/benchmark.h>

#include <weft/weft.h>

#include "cases.h"
#include "turns.h"

namespace bench {
namespace {

Step on(int threads, Step step) {
  step.run = [threads, run = step.run] {
    weft::set_num_threads(threads);
    run();
  };
  return step;
}

void run(benchmark::State& state, const Work& work, int threads) {
  weft::set_num_threads(1);
  const Step one = on(1, work.make(Mode::compile));
  weft::set_num_threads(threads);
  const Step all = on(threads, work.make(Mode::compile));
  time_in_turns(state, {"one_time", one}, {"all_time", all}, 1e-3);
  weft::set_num_threads(threads);
}

}  // namespace

void register_threads(int threads) {
  if (threads == 1) return;
  for (const Work& work : works({"W3", "W4", "W6", "W7", "W8-24"}))
    benchmark::RegisterBenchmark(("threads/" + work.name).c_str(),
                                 [=](benchmark::State& state) { run(state, work, threads); })
        ->Unit(benchmark::kMicrosecond)
        ->UseManualTime()
        ->Iterations(7)  // of both; each time anew it would make two models
        ->Repetitions(1);
}

}  // namespace bench
