// What a compiled function is made of, as counters.
#pragma once

#include <benchmark/benchmark.h>

#include <weft/compiler/stats.h>

namespace weft::bench {

/// A counter that is not there is 0.
inline void report(benchmark::State& state, const CompileStats& stats) {
  const auto set = [&](const char* name, double value) {
    if (value != 0) state.counters[name] = value;
  };
  set("launches", static_cast<double>(stats.launches));
  set("kernels", static_cast<double>(stats.kernels));
  set("library", static_cast<double>(stats.library_calls));
  set("arena_MiB", static_cast<double>(stats.arena_bytes) / (1 << 20));
}

}  // namespace weft::bench
