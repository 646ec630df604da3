// Runs the benchmarks that are registered with Google Benchmark, and writes the report.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weft::bench {

/// Prints a row for each benchmark and writes bench.json, bench.md and roofline.svg in `out`; if that is empty, in the
/// current folder, or with --benchmark_out that file alone. `arguments` are Google's; without --benchmark_filter those
/// that match `filter` run. Returns what run() of bench.h does.
int run_and_report(std::filesystem::path out, std::vector<std::string> arguments, const std::string& filter = "");

namespace detail {
/// Lets go of the case that was timed last (cases.cpp).
void release_case();
}  // namespace detail

}  // namespace weft::bench
