// What a benchmark allocates, as its counters.
#pragma once

#include <benchmark/benchmark.h>

#include <weft/tensor/storage.h>

namespace weft::bench {

/// From its making to report(): blocks that the caching allocator gave for each iteration, those of them that it had to
/// ask the system for, and the peak of what was alive, the model included. A counter that
/// is not there is 0.
class MemoryWatch {
 public:
  MemoryWatch() { reset_peak_memory(); }

  void report(benchmark::State& state, double parts_of_iteration) const {
    const MemoryStats now = memory_stats();
    const double parts = static_cast<double>(state.iterations()) * parts_of_iteration;
    const auto set = [&](const char* name, double value) {
      if (value != 0) state.counters[name] = value;  // of zeros Google writes a variation of NaN, which is no JSON
    };
    set("allocs", static_cast<double>(now.allocations - before_.allocations) / parts);
    set("system_allocs", static_cast<double>(now.system_allocations - before_.system_allocations) / parts);
    set("peak_bytes", static_cast<double>(now.peak_bytes));
  }

 private:
  MemoryStats before_ = memory_stats();
};

}  // namespace weft::bench
