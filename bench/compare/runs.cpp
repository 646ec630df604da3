#include "runs.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>

#include "../report/table.h"

namespace bench {
namespace {

// Empty, or why a repetition is no time. Google has an error, or a label that our reports write (report/outcome.h).
std::string error_of(const nlohmann::json& run) {
  if (run.value("error_occurred", false)) return run.value("error_message", "failed");
  const std::string label = run.value("label", "");
  return label.starts_with(weft::bench::not_timed) ? label.substr(weft::bench::not_timed.size()) : "";
}

double nanoseconds(const std::string& unit) {
  static const std::map<std::string, double> units = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
  return units.at(unit);
}

double positive(double time) {
  if (!(time > 0)) throw std::runtime_error("a time of " + std::to_string(time));
  return time;
}

}  // namespace

Runs read_runs(const std::filesystem::path& file, const std::string& metric) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + ": cannot be read");
  Runs runs;
  try {
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    // Google writes NaN, which is no JSON, for the variation of what is always 0.
    const auto report = nlohmann::json::parse(std::regex_replace(text, std::regex(": NaN\\b"), ": null"));
    for (const nlohmann::json& run : report.at("benchmarks")) {
      if (run.value("run_type", "iteration") != "iteration") continue;
      Repetitions& r = runs[run.at("run_name")];
      if (const std::string wrong = error_of(run); !wrong.empty())
        r = {{}, wrong};
      else if (r.wrong.empty())
        r.times.push_back(positive(run.at(metric).get<double>()) * nanoseconds(run.at("time_unit")));
    }
  } catch (const std::exception& e) {  // of the parser, or no such unit
    throw std::runtime_error(file.string() + ": not a report of Google Benchmark: " + e.what());
  }
  if (runs.empty()) throw std::runtime_error(file.string() + ": holds no run");
  return runs;
}

double variation(const std::vector<double>& numbers) {
  const auto n = static_cast<double>(numbers.size());
  double sum = 0, squares = 0;
  for (const double x : numbers) sum += x;
  for (const double x : numbers) squares += (x - sum / n) * (x - sum / n);
  return n < 2 || sum <= 0 ? 0 : std::sqrt(squares / (n - 1)) / (sum / n);
}

}  // namespace bench
