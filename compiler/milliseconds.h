// How long parts of compiling take, for stats().
#pragma once

#include <chrono>

namespace weft {

inline double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace weft
