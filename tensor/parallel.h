// The one file (with parallel.cpp) that owns parallelism: one team of threads for every kernel.
#pragma once

#include <cstdint>
#include <type_traits>

#include "threads.h"

namespace weft {

namespace detail {
void parallel_run(std::int64_t tasks, int threads, void (*body)(void*, std::int64_t), void* context);

/// While it lives, libgomp offers the calling thread a team of n: what oneDNN builds and runs a primitive for.
class TeamSize {
 public:
  explicit TeamSize(int n);
  ~TeamSize();
  TeamSize(const TeamSize&) = delete;
  TeamSize& operator=(const TeamSize&) = delete;

 private:
  int before_;
};
}  // namespace detail

/// Calls body(i) for i in [0, tasks), on at most `threads` threads; tasks are taken in turn, in no promised order.
/// One caller at a time gets the team: another, or one inside a body, runs all its tasks itself. body must not throw.
template <class Body> void parallel_for(std::int64_t tasks, int threads, Body&& body) {
  if (threads <= 1 || tasks <= 1) {
    for (std::int64_t i = 0; i < tasks; ++i) body(i);
    return;
  }
  detail::parallel_run(
      tasks, threads, [](void* b, std::int64_t i) { (*static_cast<std::remove_reference_t<Body>*>(b))(i); }, &body);
}

}  // namespace weft
