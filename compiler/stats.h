// What compiling did, for users to see.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft {

/// What compiling did and what a call does.
struct CompileStats {
  std::size_t traces = 0;         ///< signatures traced so far
  std::size_t nodes = 0;          ///< of the graph, after the passes
  std::size_t groups = 0;         ///< fused groups
  std::size_t launches = 0;       ///< kernel launches of a call
  std::size_t kernels = 0;        ///< distinct kernels
  std::size_t library_calls = 0;  ///< ops that run as a whole: products, gathers, ...
  std::int64_t arena_bytes = 0;   ///< planned memory of a call
  std::size_t kept_values = 0;    ///< computed from variables and constants alone, and held from call to call
  std::int64_t kept_bytes = 0;    ///< of these, beside the arena, once the function has run
  std::size_t kept_made = 0;      ///< how often one was computed anew, because a variable had been set elsewhere
  double trace_ms = 0, plan_ms = 0, codegen_ms = 0;
};

}  // namespace weft
