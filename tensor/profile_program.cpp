// WEFT_PROFILE: a whole program's profile, printed at its end.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "error.h"
#include "profile_log.h"
#include "profiler.h"
#include "warn.h"

namespace weft {
namespace {

// Until the process has ended.
Profiler* profiler = nullptr;
const char* trace_path = nullptr;

void report() {
  profiler->stop();
  std::fputs((profiler->table() + profiler->memory().text()).c_str(), stderr);
  if (!trace_path) return;
  try {
    profiler->write_trace(trace_path);
  } catch (const Error& e) { warn("WEFT_PROFILE: {}", e.what()); }
}

}  // namespace

bool detail::profile_program() {
  const char* wish = std::getenv("WEFT_PROFILE");
  const std::string_view text = wish ? wish : "";
  if (text.empty() || text == "0") return false;
  if (text != "1" && !text.ends_with(".json")) {
    warn("WEFT_PROFILE={}: must be 0, 1 or the name of a .json file; nothing is profiled", text);
    return false;
  }
  if (text != "1") trace_path = wish;
  profiler = new Profiler;
  return std::atexit(report) == 0;
}

}  // namespace weft
