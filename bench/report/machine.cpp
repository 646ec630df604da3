#include "machine.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>

#include <weft/tensor/denormals.h>
#include <weft/tensor/isa.h>
#include <weft/tensor/roofline_text.h>
#include <weft/tensor/threads.h>
#include "build.h"

namespace weft::bench {
namespace {

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string line_of(const char* file, const std::string& otherwise) {
  std::ifstream in(file);
  std::string line;
  return std::getline(in, line) ? line : otherwise;
}

std::string load_average() {
  double load[3] = {};
  if (getloadavg(load, 3) < 0) return "unknown";
  return fmt::format("{:.2f} {:.2f} {:.2f}", load[0], load[1], load[2]);
}

int cpus_allowed() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

bool counts_cycles() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_HW_CPU_CYCLES;
  attributes.exclude_kernel = 1;
  const long file = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
  if (file >= 0) close(static_cast<int>(file));
  return file >= 0;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  return text;
}

// Our settings, and what malloc and OpenMP listen to.
std::string settings() {
  std::string text;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view s = *entry;
    for (const char* prefix : {"WEFT_", "OMP_", "GLIBC_TUNABLES", "MALLOC_", "LD_PRELOAD"})
      if (s.starts_with(prefix)) text += (text.empty() ? "" : " ") + std::string(s);
  }
  return text.empty() ? "none" : text;
}

}  // namespace

const Roofline& roofline() {
  static std::map<int, Roofline> measured;  // by threads
  const int threads = num_threads();
  const auto known = measured.find(threads);
  return known != measured.end() ? known->second : measured.emplace(threads, measure_roofline(threads)).first->second;
}

std::vector<std::pair<std::string, std::string>> describe_machine() {
  const double clock = benchmark::CPUInfo::Get().cycles_per_second;
  return {{"measured", today()},
          {"cpu", cpu_model()},
          {"clock", fmt::format("{:.2f} GHz as the system says", 1e-9 * clock)},
          {"isa", name_of(isa())},
          {"threads", fmt::format("{} of {} CPUs allowed", num_threads(), cpus_allowed())},
          {"pinning", "none of ours"},
          {"governor", line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "not to be seen")},
          {"huge pages", line_of("/sys/kernel/mm/transparent_hugepage/enabled", "not to be seen")},
          {"cycle counter", counts_cycles() ? "yes" : "no"},
          {"denormals", flush_denormals() ? "taken for 0" : "kept"},
          {"settings", settings()},
          {"load at start", load_average()},
          {"roofline", roofline_text(roofline())},
          {"weft", WEFT_VERSION ", commit " WEFT_COMMIT},
          {"built by", WEFT_BUILD},
          {"libraries", WEFT_LIBRARIES}};
}

}  // namespace weft::bench
