// The measurements as the JSON lines of bench/peers/WORKLOADS.md.
#pragma once

#include <string>
#include <vector>

#include "works.h"

namespace bench {

struct Timing {
  int threads = 2;
  int steps = 20;      ///< at least so many are timed; 0: the check alone
  double seconds = 3;  ///< and for at least so long
  std::string note = {};
};

/// Measures one work in one mode in this process and prints its line.
void print_line(const Work& work, Mode mode, const Timing& timing);

/// Prints a line each, every one measured in a process of its own, so that first_call_s is a first call. Returns the
/// number of those that failed.
int print_lines(const std::vector<Work>& works, const std::vector<Mode>& modes, const Timing& timing);

/// The seconds that the first call of a work takes in a new process; negative if it failed. `settings` are variables of
/// its environment: "WEFT_CACHE=1".
double first_call_seconds(const Work& work, Mode mode, int threads, const std::string& settings = {});

}  // namespace bench
