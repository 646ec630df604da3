#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sched.h>

#include <cstdlib>
#include <fstream>

#include <weft/tensor/isa.h>

#include "cases.h"

namespace bench {
namespace {

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
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

}  // namespace

void describe_machine(int threads) {
  benchmark::AddCustomContext("cpu", cpu_model());
  benchmark::AddCustomContext("isa", weft::name_of(weft::isa()));
  benchmark::AddCustomContext("threads", fmt::format("{} of {} CPUs allowed", threads, cpus_allowed()));
  benchmark::AddCustomContext("load at start", load_average());
  benchmark::AddCustomContext("weft", WEFT_VERSION " " WEFT_COMMIT);
  benchmark::AddCustomContext("built by", WEFT_BUILD);
  benchmark::AddCustomContext("libraries", WEFT_LIBRARIES);
}

}  // namespace bench
