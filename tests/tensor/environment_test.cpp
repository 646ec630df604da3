// What the environment asks of the number of threads: this program again, as the environment is read once.
#include <unistd.h>
#include <weft/tensor/parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "catch.h"

using namespace weft;

namespace {

const int usable = static_cast<int>(std::thread::hardware_concurrency());  // by this process
const int machine = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));

struct Outcome {
  int threads = -1;
  std::string warning;  // our own lines
  int lines = 0;        // these, and libgomp's
};

Outcome run_with(const std::string& variable, const std::string& value) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command =
      "env -u WEFT_NUM_THREADS -u OMP_NUM_THREADS '" + variable + "=" + value + "' '" + program + "' '[.child]' 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  Outcome outcome;
  char line[512];
  while (std::fgets(line, sizeof line, pipe)) {
    const std::string text = line;
    if (text.rfind("weft: ", 0) == 0) outcome.warning += text;
    outcome.lines += text.rfind("weft: ", 0) == 0 || text.rfind("libgomp: ", 0) == 0;
    if (text.rfind("threads ", 0) == 0) outcome.threads = std::atoi(line + 8);
  }
  CHECK(::pclose(pipe) == 0);
  return outcome;
}

void check(const std::string& variable, const std::string& value, int threads, const std::string& why) {
  INFO(variable << "=" << value);
  const Outcome outcome = run_with(variable, value);
  CHECK(outcome.threads == threads);
  const bool libgomp = why == "libgomp";
  CHECK(outcome.warning ==
        (why.empty() || libgomp ? "" : "weft: warning: " + variable + "=" + value + ": " + why + "\n"));
  CHECK(outcome.lines == !why.empty());
}

}  // namespace

TEST_CASE("says how many threads there are, for the tests below", "[.child]") {
  std::atomic<int> runs{0};
  parallel_for(100, num_threads(), [&](std::int64_t) { ++runs; });
  CHECK(runs == 100);
  std::printf("threads %d\n", num_threads());
}

TEST_CASE("a number of threads in the environment that cannot be is one warning, and another number", "[parallel]") {
  const std::string range = "must be from 1 to " + std::to_string(machine) + "; ",
                    all = std::to_string(machine) + " is used",
                    no_number = "not a number; " + std::to_string(usable) + " threads are used";
  for (const std::string variable : {"WEFT_NUM_THREADS", "OMP_NUM_THREADS"}) {
    check(variable, "1", 1, "");
    check(variable, "1000000000", machine, range + all);
  }
  check("WEFT_NUM_THREADS", "", usable, "");
  check("WEFT_NUM_THREADS", "0", 1, range + "1 is used");
  check("WEFT_NUM_THREADS", "-1", 1, range + "1 is used");
  check("WEFT_NUM_THREADS", "99999999999999999999999", machine, range + all);
  for (const std::string word : {"abc", "1.5", "2x", "-"}) check("WEFT_NUM_THREADS", word, usable, no_number);
  // What libgomp finds fault with, it says itself, and takes for not set; so do we.
  for (const std::string value : {"", "0", "-1", "99999999999999999999999", "abc", "1.5", "2x", "-"})
    check("OMP_NUM_THREADS", value, usable, "libgomp");
  check("OMP_NUM_THREADS", "1,4", 1, "");  // of nested teams
  check("WEFT_NUM_THREADS", "1,4", usable, no_number);
}
