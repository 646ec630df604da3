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

using nlohmann::json;

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error(why); }

// A repetition's word for `key`; `otherwise`, if there is such a word, where it has none.
std::string word(const json& run, const char* key, const char* otherwise = nullptr) {
  const auto at = run.find(key);
  if (at == run.end() && otherwise) return otherwise;
  if (at == run.end() || !at->is_string()) fail(std::string("a benchmark without a word for \"") + key + "\"");
  return at->get<std::string>();
}

// Empty, or why a repetition is no time. Google has an error, or a label that our reports write (report/outcome.h).
std::string error_of(const json& run) {
  if (const auto at = run.find("error_occurred"); at != run.end() && *at == true)
    return word(run, "error_message", "failed");
  const std::string label = word(run, "label", "");
  return label.starts_with(weft::bench::not_timed) ? label.substr(weft::bench::not_timed.size()) : "";
}

double nanoseconds(const std::string& unit) {
  static const std::map<std::string, double> units = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
  const auto at = units.find(unit);
  if (at == units.end()) fail("a time_unit \"" + unit + "\", which is not ns, us, ms or s");
  return at->second;
}

double time_of(const json& run, const std::string& metric) {
  const auto at = run.find(metric);
  if (at == run.end() || !at->is_number()) fail("a benchmark without a number for \"" + metric + "\"");
  if (!(at->get<double>() > 0)) fail("a " + metric + " of " + at->dump());
  return at->get<double>() * nanoseconds(word(run, "time_unit"));
}

json parsed(const std::string& text) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) fail("it is empty");
  try {
    // Google writes NaN, which is no JSON, for the variation of what is always 0.
    return json::parse(std::regex_replace(text, std::regex(": NaN\\b"), ": null"));
  } catch (const json::parse_error&) { fail("it is no JSON, or was cut short"); }
}

}  // namespace

Runs read_runs(const std::filesystem::path& file, const std::string& metric) {
  std::ifstream in(file);
  if (!in) fail(file.string() + ": cannot be read");
  Runs runs;
  try {
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const json report = parsed(text);
    if (!report.is_object() || !report.contains("benchmarks") || !report["benchmarks"].is_array())
      fail("it has no list of \"benchmarks\"");
    for (const json& run : report["benchmarks"]) {
      if (!run.is_object()) fail("a benchmark that is " + run.dump());
      if (word(run, "run_type", "iteration") != "iteration") continue;
      Repetitions& r = runs[word(run, "run_name")];
      if (const std::string wrong = error_of(run); !wrong.empty())
        r = {{}, wrong};
      else if (r.wrong.empty())
        r.times.push_back(time_of(run, metric));
    }
  } catch (const std::exception& e) { fail(file.string() + ": not a report of Google Benchmark: " + e.what()); }
  if (runs.empty()) fail(file.string() + ": holds no run");
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
