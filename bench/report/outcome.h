// How a benchmark that fails says so.
#pragma once

#include <benchmark/benchmark.h>

#include <exception>
#include <string>

#include "table.h"

namespace weft::bench {

/// Of a benchmark, over its repetitions. Google skips one that failed, but aborts the program where others of the same
/// benchmark were timed: after one that was, the rest do nothing, and their label says why.
class Outcome {
 public:
  void timed(const benchmark::State& state) { iterations_ = state.max_iterations; }
  void failed(benchmark::State& state, const std::string& why) const {
    // Tries of the first repetition have more and more iterations, the other repetitions as many as its last one.
    if (state.max_iterations != iterations_) return state.SkipWithError(why.c_str());
    while (state.KeepRunning()) {}
    state.SetLabel(std::string(not_timed) + why);
  }

 private:
  benchmark::IterationCount iterations_ = 0;
};

/// f(state) as a benchmark whose exceptions are failures.
template <class F> auto caught(F f) {
  return [f, outcome = Outcome()](benchmark::State& state) mutable {
    try {
      f(state);
      outcome.timed(state);
    } catch (const std::exception& e) { outcome.failed(state, e.what()); }
  };
}

}  // namespace weft::bench
