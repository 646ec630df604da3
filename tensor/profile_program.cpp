// WEFT_PROFILE: a whole program's profile, printed at its end.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "error.h"
#include "profile_log.h"
#include "profiler.h"
#include "settings.h"

namespace weft {
namespace {

// Until the process has ended.
Profiler* profiler = nullptr;
const char* trace_path = nullptr;

std::terminate_handler terminate_before = nullptr;

void report() {
  static std::atomic_flag reported;
  if (reported.test_and_set()) return;
  profiler->stop();
  std::fputs((profiler->table() + profiler->memory().text()).c_str(), stderr);
  if (!trace_path) return;
  try {
    profiler->write_trace(trace_path);
  } catch (const Error& e) { warn("WEFT_PROFILE: {}", e.what()); }
}

// A program that ends by an exception which nobody catches has a profile, too.
[[noreturn]] void report_and_terminate() {
  report();
  if (terminate_before) terminate_before();
  std::abort();
}

}  // namespace

bool detail::profile_program() {
  const char* wish = std::getenv("WEFT_PROFILE");
  const std::string_view text = wish ? wish : "";
  const std::optional<bool> wanted = on_or_off(text);
  if (text.empty() || wanted == false) return false;
  if (!wanted && !text.ends_with(".json")) {
    warn("WEFT_PROFILE={}: must be 0, 1 or the name of a .json file; nothing is profiled", text);
    return false;
  }
  if (!wanted) trace_path = wish;
  profiler = new Profiler;
  terminate_before = std::set_terminate(report_and_terminate);
  return std::atexit(report) == 0 && std::at_quick_exit(report) == 0;
}

}  // namespace weft
