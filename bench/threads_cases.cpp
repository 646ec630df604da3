// What a second thread is worth.
#include <benchmark/benchmark.h>

#include <weft/weft.h>

#include "cases.h"
#include "made_once.h"
#include "report/outcome.h"
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

using Pair = std::pair<Contender, Contender>;

Pair pair_of(const Work& work, int threads) {
  weft::set_num_threads(1);
  const Step one = on(1, work.make(Mode::compile));
  weft::set_num_threads(threads);
  const Step all = on(threads, work.make(Mode::compile));
  Pair pair{{"one_time", one}, {"all_time", all}};
  make_agree(pair.first, pair.second, 1e-3);
  return pair;
}

void run(benchmark::State& state, const std::string& name, const Work& work, int threads) {
  const Pair& pair = made_once<Pair>(name, [&] { return pair_of(work, threads); });
  take_turns(state, pair.first, pair.second);
  weft::set_num_threads(threads);
}

}  // namespace

void register_threads(int threads) {
  if (threads == 1) return;
  for (const Work& work : works({"W3", "W4", "W6", "W7", "W8-24"})) {
    const std::string name = "threads/" + work.name;
    benchmark::RegisterBenchmark(name.c_str(),
                                 weft::bench::caught([=](benchmark::State& state) { run(state, name, work, threads); }))
        ->Unit(benchmark::kMicrosecond)
        ->UseManualTime()
        ->Iterations(2);  // of both, in each repetition
  }
}

}  // namespace bench
