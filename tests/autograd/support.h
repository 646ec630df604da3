// What the autograd tests share.
#pragma once

#include <weft/autograd/custom_gradient.h>
#include <weft/autograd/gradcheck.h>
#include <weft/autograd/tape.h>
#include <weft/ops/activations.h>
#include <weft/ops/compose.h>
#include <weft/ops/indexing.h>
#include <weft/ops/linalg.h>
#include <weft/ops/reduce.h>

#include "../support.h"

namespace weft::test {

/// CHECKs at its end that no tensor was left behind and no recorder is still told.
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

inline Tensor scalar(double x) { return full({}, x); }

/// The gradient of f at x.
template <class F> Tensor gradient_of(F f, const Tensor& x) {
  GradientTape tape;
  tape.watch(x);
  return tape.gradient(f(x), x);
}

}  // namespace weft::test

/// CHECKs that a gradient exists and has these elements.
#define CHECK_GRADIENT(g, ...)     \
  do {                             \
    const Tensor g_ = (g);         \
    REQUIRE(g_.defined());         \
    CHECK_VALUES(g_, __VA_ARGS__); \
  } while (false)
