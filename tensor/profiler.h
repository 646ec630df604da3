// Profiler: where the time and the memory of a program go.
//
//     Profiler profiler;
//     for (int i = 0; i < 100; ++i) step(x, y);
//     profiler.stop();
//     std::cout << profiler.table() << profiler.memory().text();
//     profiler.write_trace("trace.json");   // for ui.perfetto.dev or chrome://tracing
//
// A program that was not written for it: WEFT_PROFILE=1 prints the same at its end, WEFT_PROFILE=trace.json also writes
// the trace. Name parts of a model by ProfileScope (scope.h); layers of nn have names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scope.h"

namespace weft {

struct Roofline;

/// What rows of a profile stand for.
enum class ProfileBy {
  op,      ///< ops, "matmul (gradient)" for all that a gradient rule does; a compiled function's kernels; phases
  module,  ///< scopes by their paths, "block/fc1 (gradient)" apart; a module's total holds those inside it
  line,    ///< source lines; a fused kernel's time is shared by the lines of its ops in equal parts
};

/// Self times of all rows add up to the profile's seconds, and what other threads did meanwhile on top.
struct ProfileRow {
  std::string name;
  std::int64_t calls = 0;
  double self_seconds = 0;   ///< without what ran inside it
  double total_seconds = 0;  ///< with it
  double flops = 0;          ///< floating-point operations, an fma being two; 0 where nobody counts them
  double bytes = 0;          ///< read and written at least
  double roof = 0;           ///< the least time that the machine allows, as a part of self_seconds; 0: not known
};

/// Memory of tensors and of compiled functions while a profile ran.
struct MemoryProfile {
  /// Blocks that lived at the peak and were allocated at the same place.
  struct Owner {
    std::string op, line, module;
    std::int64_t blocks, bytes;
  };
  struct Point {
    double seconds;
    std::int64_t bytes;  ///< that live
  };
  std::int64_t bytes_before;  ///< that lived when the profile began
  std::int64_t peak_bytes;    ///< the most that lived
  double peak_seconds;        ///< when
  std::vector<Owner> owners;  ///< of what lived then, the largest first; what is from before the profile is the last
  std::vector<Point> timeline;
  std::size_t left_out = 0;  ///< allocations and releases after the first million of a thread: nothing above knows them

  std::string text() const;
};

/// Profiles all threads from its construction to stop(). Profilers may overlap: each sees its own time. While there is
/// none nothing is recorded, at the cost of a look at a flag. What a team of threads computes belongs to the op for
/// which it works.
class Profiler {
 public:
  Profiler();
  ~Profiler();
  Profiler(const Profiler&) = delete;

  /// Ends it; what follows tells of the time until then, before stop() of the time until now.
  void stop();
  /// The profile's length.
  double seconds() const;
  /// By self time, largest first. `roof`: against what the machine can do, measured at the first time in half a second.
  std::vector<ProfileRow> rows(ProfileBy by, bool roof = false) const;
  /// The same, against a roofline that is known.
  std::vector<ProfileRow> rows(ProfileBy by, const Roofline& roof) const;
  /// By op, by module and by line, the `most` largest of each.
  std::string table(std::size_t most = 30, bool roof = true) const;
  MemoryProfile memory() const;
  /// Chrome's trace-event format: a track for each thread, and the memory that lives. FormatError if the file cannot be
  /// written. Of a thread it shows the first million spans; tables know all.
  void write_trace(const std::string& path) const;

 private:
  struct Start;
  struct Result;
  Result collect() const;
  std::unique_ptr<Start> start_;
  std::unique_ptr<Result> result_;  // once stopped
};

}  // namespace weft
