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
      WEFT_VERSION, name_of(mode), work.name.c_str(), std::string(weft::name_of(work.dtype)).c_str(),
      weft::num_threads(), median(times) * scale, least * scale, first, value, quoted(timing.note).c_str());
  std::fflush(stdout);
}

void print_work(const Work& work) {
  std::printf("{\"work\": \"%s\", \"dtype\": \"%s\", \"threads\": %d, \"tolerance\": %g}\n", work.name.c_str(),
              std::string(weft::name_of(work.dtype)).c_str(), work.threads, work.tolerance);
}

void print_lines(const std::vector<Work>& works, const std::vector<Mode>& modes, const Timing& timing) {
  const char* wish = std::getenv("WEFT_PROFILE");
  const std::string trace = wish ? wish : "", ending = ".json";
  bool failed = false;
  for (const Work& work : works)
    for (const Mode mode : modes) {
      std::string settings;
      if (trace.ends_with(ending) && works.size() * modes.size() > 1)
        settings =
            "WEFT_PROFILE=" +
            word(trace.substr(0, trace.size() - ending.size()) + "-" + work.name + "-" + name_of(mode) + ending) + " ";
      failed |= std::system((settings + command(work, mode, timing)).c_str()) != 0;
    }
  std::fflush(nullptr);
  std::_Exit(failed);  // a profile of this process, in which nothing ran, would take the place of the line's
}

double first_call_seconds(const Work& work, Mode mode, int threads, const std::string& settings) {
  Timing timing;
  timing.threads = threads;
  timing.steps = 0;
  FILE* pipe = popen((settings + " " + command(work, mode, timing)).c_str(), "r");
  if (!pipe) throw weft::Error("no process could be started");
  std::string line;
  for (int c; (c = std::fgetc(pipe)) != EOF;) line += static_cast<char>(c);
  const bool ended = pclose(pipe) == 0;
  const auto field = [&](const std::string& key) {
    const auto at = line.find("\"" + key + "\": ");
    if (!ended || at == std::string::npos) throw weft::Error("the process failed");
    return std::atof(line.c_str() + at + key.size() + 4);
  };
  if (const double value = field("check"); !agrees(work, value)) throw weft::Error(wrong_check(work, value));
  return field("first_call_s");
}

}  // namespace bench
