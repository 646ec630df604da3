// Two steps timed in turns, so that whatever else runs on the machine meets both.
#pragma once

#include <benchmark/benchmark.h>

#include <string>

#include "works.h"

namespace bench {

struct Contender {
  std::string counter;  ///< for the median of its times
  Step step;
  int repeats = 1;  ///< times are for one of so many equal parts of the step
};

/// Five steps of each. Error if their results do not agree to `tolerance`.
void make_agree(const Contender& a, const Contender& b, double tolerance);

/// An iteration is a turn of `a` and one of `b`; its manual time is a's. A turn is a step; or, where the two keep teams
/// of threads of their own, `seconds` of steps that do not count, until the other's threads have stopped spinning and
/// left the cores, then as long of steps that do. The counter `ratio` is a's median over b's.
void take_turns(benchmark::State& state, const Contender& a, const Contender& b, double seconds = 0);

/// Both.
void time_in_turns(benchmark::State& state, const Contender& a, const Contender& b, double tolerance,
                   double seconds = 0);

}  // namespace bench
