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
/// What there is to know of a work before it runs, as a JSON line.
void print_work(const Work& work);

/// Prints a line each, every one measured in a process of its own, so that first_call_s is a first call, and ends this
/// process: with status 1 if one failed. Under WEFT_PROFILE=FILE.json several lines have their traces in
/// FILE-WORK-MODE.json.
[[noreturn]] void print_lines(const std::vector<Work>& works, const std::vector<Mode>& modes, const Timing& timing);

/// The seconds that the first call of a work takes in a new process. Error if that fails, or its check is not the
/// work's. `settings` are variables of its environment: "WEFT_CACHE=1".
double first_call_seconds(const Work& work, Mode mode, int threads, const std::string& settings = {});

}  // namespace bench
