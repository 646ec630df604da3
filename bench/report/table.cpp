#include "table.h"

#include <fmt/format.h>

#include <set>

namespace weft::bench {
namespace {

std::string number(double x) { return fmt::format("{:.4g}", x); }

std::string in_billions(const Row& row, const char* key) {
  const double x = row.counter(key);
  return x > 0 ? number(1e-9 * x) : "";
}

std::string count(const Row& row, const char* key) { return row.counters.count(key) ? number(row.counter(key)) : ""; }

// Counters that columns show, or that say what the time says.
const std::set<std::string> shown = {"FLOP/s",  "B/s",      "roof",       "allocs",          "system_allocs",
                                     "kernels", "launches", "peak_bytes", "items_per_second"};

std::string others(const Row& row) {
  std::string text;
  for (const auto& [key, value] : row.counters) {
    if (shown.count(key)) continue;
    const bool is_time = key.ends_with("_time") || key.starts_with("per_");
    text += (text.empty() ? "" : ", ") + key + " " + (is_time ? time_text(value) : number(value));
  }
  return text;
}

std::string bytes_text(double bytes) {
  return bytes < (1 << 10)   ? fmt::format("{:.0f} B", bytes)
         : bytes < (1 << 20) ? fmt::format("{:.1f} KiB", bytes / (1 << 10))
                             : fmt::format("{:.1f} MiB", bytes / (1 << 20));
}

std::string first_line(const std::string& text) {
  const std::size_t end = text.find('\n');
  return end == std::string::npos ? text : text.substr(0, end) + " ...";
}

std::string joined(const std::vector<std::string>& list) {
  std::string line = "|";
  for (const std::string& s : list) {
    line += ' ';
    for (const char c : s) line += c == '|' ? "\\|" : std::string(1, c);
    line += " |";
  }
  return line + "\n";
}

}  // namespace

double Row::counter(const std::string& key) const {
  const auto at = counters.find(key);
  return at == counters.end() ? 0 : at->second;
}

std::string time_text(double seconds) {
  return seconds < 1e-6   ? fmt::format("{:.4g} ns", 1e9 * seconds)
         : seconds < 1e-3 ? fmt::format("{:.4g} us", 1e6 * seconds)
         : seconds < 1    ? fmt::format("{:.4g} ms", 1e3 * seconds)
                          : fmt::format("{:.4g} s", seconds);
}

const std::vector<std::string>& headings() {
  static const std::vector<std::string> list = {
      "benchmark", "time",     "+-",   "GFLOP/s", "GB/s", "roofline", "tensor blocks (system)",
      "kernels",   "launches", "peak", "more"};
  return list;
}

std::vector<std::string> cells(const Row& row) {
  if (!row.wrong.empty())
    return {row.name, "", "", "", "", "", "", "", "", "", std::string(not_timed) + first_line(row.wrong)};
  const double roof = row.counter("roof"), peak = row.counter("peak_bytes");
  return {row.name,
          row.time,
          row.variation < 0 ? "" : fmt::format("{:.1f} %", 100 * row.variation),
          in_billions(row, "FLOP/s"),
          in_billions(row, "B/s"),
          roof > 0 ? fmt::format("{:.0f} %", 100 * roof) : "",
          peak > 0 ? fmt::format("{:.4g} ({:.4g})", row.counter("allocs"), row.counter("system_allocs")) : "",
          count(row, "kernels"),
          count(row, "launches"),
          peak > 0 ? bytes_text(peak) : "",
          others(row)};
}

std::string markdown(const std::vector<std::pair<std::string, std::string>>& context, const std::vector<Row>& rows) {
  std::string text = "# Weft's benchmarks\n\n";
  for (const auto& [key, value] : context) text += "- " + key + ": " + value + "\n";
  text +=
      "\nMedians of the repetitions, and how much these vary. roofline: the least time that the machine's arithmetic "
      "and memory allow to the threads that compute it, over the time: above 100 % where a cache gives what is counted "
      "as read from a slower one or from memory; empty where the arithmetic is not known. tensor blocks: of the "
      "caching "
      "allocator, for each call, and how many of them it had from the system; peak: of what lived in them. malloc's "
      "are "
      "in neither.\n";
  std::string section;
  for (const Row& row : rows) {
    if (const std::string first = row.name.substr(0, row.name.find('/')); first != section) {
      section = first;
      text +=
          "\n## " + section + "\n\n" + joined(headings()) + joined(std::vector<std::string>(headings().size(), "---"));
    }
    text += joined(cells(row));
  }
  return text;
}

}  // namespace weft::bench
