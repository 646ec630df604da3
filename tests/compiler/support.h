// What the compiler's contract tests share.
#pragma once

#include <weft/weft.h>

#include <atomic>
#include <memory>
#include <thread>

#include "../support.h"

namespace weft::test {

inline Tensor scalar(double x) { return full({}, x); }

/// CHECKs at its end that no tensor was left behind. What a compiled function keeps dies with it: make it inside.
class NoLeaks {
 public:
  ~NoLeaks() {
    CHECK(live_tensors() == tensors_);
    CHECK(active_recorders().empty());
    CHECK(active_tracer() == nullptr);
  }

 private:
  std::int64_t tensors_ = live_tensors();
};

}  // namespace weft::test
