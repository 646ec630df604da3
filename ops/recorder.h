// Recorders: who is told of what passes the door. A stack for each thread; tapes, accumulators, profilers nest in any
// order. A Trace, too, is on the stack, and is terminal: inside it nothing runs, and older recorders see nothing.
#pragma once

#include <memory>
#include <span>

#include "../tensor/site.h"
#include "op.h"
#include "variable.h"

namespace weft {

class Recorder {
 public:
  virtual ~Recorder() = default;
  /// An op was applied.
  virtual void record(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) = 0;
  /// A variable was read and gave `value`.
  virtual void read(const std::shared_ptr<VariableState>&, const Tensor& /*value*/) {}
  /// A variable, which still has its old value, is given that of `from`, and will hold it as `to`.
  virtual void assigned(const std::shared_ptr<VariableState>&, const Tensor& /*from*/, const Tensor& /*to*/) {}
};

/// What stands in for the machine while a function is traced.
class Tracer {
 public:
  virtual ~Tracer() = default;
  virtual void append(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<Tensor> out) = 0;
  virtual Tensor read(const std::shared_ptr<VariableState>& variable) = 0;
  virtual void assign(const std::shared_ptr<VariableState>& variable, const Tensor& value) = 0;
  /// Host code asked which variable one is: by its name, by same(), or to look it up in an optimizer.
  bool tells_variables_apart = false;
  /// Of which variables host code asked whether they are trained.
  std::vector<std::shared_ptr<VariableState>> asked_trainable;
};

/// The calling thread's recorders, oldest first, those that a running trace hides left out.
std::span<Recorder* const> active_recorders();
/// The trace that the calling thread is in, or null.
Tracer* active_tracer();

/// GuardError if a recorder that was started in `since` (a trace or none) and does not know `t` can't have seen what
/// made it: t is of another function that is traced, in which it sees no op. In place of the silence kept of the
/// unconnected.
void check_seen(const Tracer* since, const Tensor& t);

/// To be called where what a function does depends on which variable it was given.
inline void tell_variables_apart() {
  if (Tracer* const tracer = active_tracer()) tracer->tells_variables_apart = true;
}

/// Calls tell(recorder) for each of them. One that is told may work itself: push, apply, pop.
template <class Tell> void each_recorder(Tell&& tell) {
  for (std::size_t i = 0; i < active_recorders().size(); ++i) tell(*active_recorders()[i]);
}

/// Puts a recorder on top of the calling thread's stack; while some are hidden, below those.
void push_recorder(Recorder* recorder);
/// Takes it off, wherever it is.
void pop_recorder(Recorder* recorder);

/// While it lives, the thread is traced by `tracer` (null: not traced) and earlier recorders are hidden.
class TraceScope {
 public:
  explicit TraceScope(Tracer* tracer);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;

 private:
  Tracer* previous_;
  std::size_t previous_base_;
  const Recorder* previous_hidden_;
};

/// While it lives, the recorders from `recorder` on (it and the newer ones) see nothing: what a recorder does itself is
/// for those before it, and for those that it pushes meanwhile.
class HideFrom {
 public:
  explicit HideFrom(const Recorder* recorder);
  ~HideFrom();
  HideFrom(const HideFrom&) = delete;

 private:
  const Recorder* previous_;
};

}  // namespace weft
