// weft_bench_compare BEFORE.json AFTER.json: has anything become slower, or wrong, or is it gone? Exit status 0: no; 1:
// yes; 2: cannot be said.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>

#include "../report/arguments.h"
#include "judge.h"

using namespace bench;

namespace {

std::string time_of(double ns) {
  return ns < 1e3   ? fmt::format("{:.1f} ns", ns)
         : ns < 1e6 ? fmt::format("{:.2f} us", 1e-3 * ns)
                    : fmt::format("{:.2f} ms", 1e-6 * ns);
}

void print(const std::vector<Judged>& list) {
  std::size_t width = 9;
  for (const Judged& r : list) width = std::max(width, r.name.size());
  fmt::print("{:<{}}  {:>11}  {:>11}  {:>7}  {:>7}\n", "benchmark", width, "before", "after", "ratio", "p");
  for (const Judged& r : list) {
    const auto time = [](const Repetitions& r) { return r.times.empty() ? "" : time_of(median(r.times)); };
    const bool both = r.ratio > 0;
    fmt::print("{:<{}}  {:>11}  {:>11}  {:>7}  {:>7}  {}\n", r.name, width, time(r.before), time(r.after),
               both ? fmt::format("{:.3f}", r.ratio) : "", both ? fmt::format("{:.4f}", r.p) : "", r.text());
  }
}

// The medians after, for github-action-benchmark's tool customSmallerIsBetter.
void write_smaller_is_better(const std::string& file, const std::vector<Judged>& list) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Judged& r : list)
    if (const std::vector<double>& after = r.after.times; !after.empty())
      rows.push_back({{"name", r.name},
                      {"unit", "ns"},
                      {"value", median(after)},
                      {"range", fmt::format("{:.1f} %", 100 * variation(after))},
                      {"extra", r.text()}});
  std::ofstream out(file);
  out << rows.dump(2) << '\n';
  if (!out.flush()) throw std::runtime_error(file + ": cannot be written");
}

int run(int argc, char** argv) {
  CLI::App app(
      "Compares two reports of Google Benchmark by the medians of their repetitions and Mann and Whitney's test. "
      "Slower is "
      "what is significantly so, by more than --change and by more than the repetitions vary. Exit status 1 if "
      "anything is "
      "slower, or wrong in AFTER, or missing there (where fewer were run on purpose, --filter names these); 2 if "
      "nothing could be judged.");
  std::string before, after, metric = "real_time", filter, smaller;
  double alpha = 0.05, change = 5, noise = 5;
  app.add_option("BEFORE", before, "bench.json, with --benchmark_repetitions=5 or more")->required();
  app.add_option("AFTER", after, "another")->required();
  app.add_option("--metric", metric, "real_time or cpu_time")->check(CLI::IsMember({"real_time", "cpu_time"}));
  app.add_option("--filter", filter, "a regular expression: only benchmarks whose names have a match");
  app.add_option("--alpha", alpha, "significance level (0.05)")->check(CLI::Range(0.0, 1.0));
  app.add_option("--change", change, "percent by which medians have to differ (5)")
      ->check(weft::bench::number_from(0.0));
  app.add_option("--noise", noise, "percent of variation above which no difference does not mean the same (5)")
      ->check(weft::bench::number_from(0.0));
  app.add_option("--smaller-is-better", smaller, "write the medians of AFTER here, for github-action-benchmark");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;  // 1 would say that something is slower
  }

  const std::regex wanted(filter);
  const auto read = [&](const std::string& file) {
    Runs runs = read_runs(file, metric);
    std::erase_if(runs, [&](const auto& run) { return !std::regex_search(run.first, wanted); });
    return runs;
  };
  const std::vector<Judged> list = judge(read(before), read(after), {alpha, change / 100, noise / 100});
  print(list);
  if (!smaller.empty()) write_smaller_is_better(smaller, list);
  const auto judged = std::ranges::count_if(list, &Judged::is_judged),
             slower = std::ranges::count(list, Verdict::slower, &Judged::verdict),
             wrong = std::ranges::count(list, Verdict::wrong, &Judged::verdict),
             missing = std::ranges::count(list, Verdict::only_before, &Judged::verdict);
  fmt::print("{} of {} judged, {} slower, {} wrong, {} missing; {}\n", judged, list.size(), slower, wrong, missing,
             judged > 0 ? fmt::format("geometric mean of their ratios {:.3f}", geometric_mean(list))
                        : "nothing was comparable");
  return std::ranges::any_of(list, &Judged::is_worse) ? 1 : judged > 0 ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "weft_bench_compare: " << e.what() << '\n';
    return 2;
  }
}
