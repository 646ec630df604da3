// The repetitions of each benchmark in a report of Google Benchmark.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "../median.h"

namespace bench {

/// Nanoseconds of each repetition; none if one was wrong or failed.
struct Repetitions {
  std::vector<double> times;
  std::string wrong = {};  ///< why
};

/// By the name of the benchmark. Aggregates are left out.
using Runs = std::map<std::string, Repetitions>;

/// Reads FILE.json; `metric` is "real_time" or "cpu_time". std::runtime_error, with the file's name, if it cannot be
/// read, is no such report, or holds no run.
Runs read_runs(const std::filesystem::path& file, const std::string& metric = "real_time");

/// Standard deviation over mean: the noise.
double variation(const std::vector<double>& numbers);

}  // namespace bench
