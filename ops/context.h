// Context: what surrounds a computation rather than enters it. One a thread; part of a compiled function's signature.
#pragma once

#include "../tensor/dtype.h"

namespace weft {

namespace detail {
struct Context {
  bool training = true;  ///< layers such as dropout act only then; set by nn::EvalScope and nn::TrainScope

  DType precision = DType::f32;  ///< what layers make of f32; set by nn::PrecisionScope

  bool anomaly = false;  ///< each op is checked for NaN and Inf; set by debug::AnomalyScope

  bool operator==(const Context&) const = default;
};
}  // namespace detail

/// The calling thread's context.
inline detail::Context& context() {
  thread_local detail::Context mine;
  return mine;
}

}  // namespace weft
