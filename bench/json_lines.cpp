#include "json_lines.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <weft/tensor/parallel.h>

#include "build.h"  // WEFT_VERSION
#include "median.h"
#include "numbers.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// One word to the shell.
std::string word(const std::string& s) {
  std::string out = "'";
  for (const char c : s) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// This program again, for one line.
std::string command(const Work& work, Mode mode, const Timing& t) {
  return word(std::filesystem::read_symlink("/proc/self/exe").string()) + " --json --here --work " + work.name +
         " --mode " + name_of(mode) + " --threads " + std::to_string(t.threads) + " --steps " +
         std::to_string(t.steps) + " --seconds " + std::to_string(t.seconds) + " --note " + word(t.note);
}

}  // namespace

void print_line(const Work& work, Mode mode, const Timing& timing) {
  weft::set_num_threads(timing.threads);
  const Step step = work.make(mode);
  auto start = Clock::now();
  step.run();
  const double first = seconds_since(start);
  for (int i = 0; i < 4; ++i) step.run();
  const double value = check(step.results());

  std::vector<double> times;
  if (timing.steps > 0) {  // as time_steps() of peers/common.py
    for (int i = 0; i < 5; ++i) step.run();
    const auto begin = Clock::now();
    while (times.size() < static_cast<std::size_t>(timing.steps) || seconds_since(begin) < timing.seconds) {
      start = Clock::now();
      step.run();
      times.push_back(seconds_since(start));
    }
  }
  const double scale = 1e6 / work.per_step;
  const double least = times.empty() ? 0 : *std::min_element(times.begin(), times.end());
  std::printf(
      "{\"peer\": \"weft %s\", \"mode\": \"%s\", \"work\": \"%s\", \"dtype\": \"%s\", \"threads\": %d, \"median_us\": "
      "%.6g, "
      "\"min_us\": %.6g, \"first_call_s\": %.6g, \"check\": %.6g, \"note\": %s}\n",
      WEFT_VERSION, name_of(mode), work.name.c_str(), work.dtype, timing.threads, median(times) * scale, least * scale,
      first, value, quoted(timing.note).c_str());
  std::fflush(stdout);
}

int print_lines(const std::vector<Work>& works, const std::vector<Mode>& modes, const Timing& timing) {
  int failed = 0;
  for (const Work& work : works)
    for (const Mode mode : modes) failed += std::system(command(work, mode, timing).c_str()) != 0;
  return failed;
}

double first_call_seconds(const Work& work, Mode mode, int threads, const std::string& settings) {
  Timing timing;
  timing.threads = threads;
  timing.steps = 0;
  FILE* pipe = popen((settings + " " + command(work, mode, timing)).c_str(), "r");
  if (!pipe) return -1;
  std::string line;
  for (int c; (c = std::fgetc(pipe)) != EOF;) line += static_cast<char>(c);
  const std::string key = "\"first_call_s\": ";
  const auto at = line.find(key);
  return pclose(pipe) != 0 || at == std::string::npos ? -1 : std::atof(line.c_str() + at + key.size());
}

}  // namespace bench
