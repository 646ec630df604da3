// What compile() keeps behind its template: signatures, and the traces made for them.
#pragma once

#include <any>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../ops/context.h"
#include "../ops/recorder.h"
#include "../ops/variable.h"
#include "stats.h"

namespace weft {

class Callee;
class Executable;

struct CompileOptions {
  bool check = false;  ///< runs eagerly beside each call, from the same state, and compares every bit (GuardError)
  std::size_t max_traces = 64;  ///< the least recently used trace goes when there are more
};

namespace detail {

using Variables = std::vector<std::shared_ptr<VariableState>>;

/// What a call must have in common with a trace to use it: types, which arguments are the same, host scalars by value,
/// the context. Which variables are passed stands beside it: another one of the same type may do as well.
class Signature {
 public:
  void add_word(std::uint64_t w) { words_.push_back(w); }
  /// Returns the argument's number: a new one, or that of the same tensor before.
  void add_tensor(const Tensor& t);
  void add_variable(const Variable& v);

  const std::vector<Tensor>& tensors() const { return tensors_; }  // each once
  const Variables& variables() const { return variables_; }        // each once
  void forget_tensors() { tensors_.clear(); }
  bool same_words(const Signature& o) const { return words_ == o.words_; }
  /// What differs from another signature, for the warning: "argument 0: f32[2] before, f32[3] now".
  std::string difference(const Signature& before) const;

 private:
  std::vector<std::uint64_t> words_;
  std::vector<Tensor> tensors_;
  Variables variables_;
  std::vector<Type> types_;  // of the tensors, kept when they are let go
};

/// One trace, compiled.
struct Traced {
  Signature signature;
  std::shared_ptr<Executable> executable;  // captured tensors are constants, variables are inputs
  Variables variables;                     // captured or passed
  /// It is known to be the same function of other variables that are passed.
  bool any_variables = false;
  std::shared_ptr<const Callee> callee;  // for recorders: everything is an input, new values of variables are outputs
  struct Input {
    Tensor tensor;  // or
    std::shared_ptr<VariableState> variable;
  };
  std::vector<Input> captured;        // the callee's inputs after the arguments
  std::vector<std::size_t> assigned;  // which of `variables` the callee's outputs after the results are for
  std::any result;                    // the function's result with traced tensors as leaves
  std::size_t results = 0;
};

class FunctionCache {
 public:
  explicit FunctionCache(CompileOptions options) : options_(options) {}

  /// Traces the function on placeholders for the signature's tensors; gives its result and that result's leaves.
  using TraceBody = std::function<std::any(std::span<const Tensor> placeholders, std::vector<Tensor>& leaves)>;
  /// The trace for a signature, made now if there is none.
  std::shared_ptr<Traced> find(Signature&& signature, const TraceBody& body);
  /// Runs it on the arguments and variables passed; under `check` compares with `eager`, which gives the leaves of the
  /// function run eagerly.
  void run(const Traced& traced, std::span<const Tensor> args, const Variables& passed, std::span<Tensor> results,
           const std::function<std::vector<Tensor>()>& eager);
  /// Runs it as one op that recorders see.
  void run_recorded(const Traced& traced, std::span<const Tensor> args, const Variables& passed,
                    std::span<Tensor> results);

  const CompileOptions& options() const { return options_; }
  CompileStats stats() const;
  std::string dump(std::string_view stage) const;
  std::vector<std::string> captures() const;

 private:
  std::shared_ptr<Traced> latest() const;
  std::shared_ptr<Traced> use(std::size_t trace);  // and note that it was
  CompileOptions options_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Traced>> traces_;  // the latest used first
  std::size_t made_ = 0;
  bool warned_ = false;
};

/// A call that runs as plain code. If it throws, the variables that it assigned have their old values again.
class PlainCall : private Recorder {
 public:
  PlainCall() { push_recorder(this); }
  ~PlainCall() override;
  PlainCall(const PlainCall&) = delete;

 private:
  void record(const Op&, const Attrs&, std::span<const Tensor>, std::span<const Tensor>) override {}
  void assigned(const std::shared_ptr<VariableState>& variable, const Tensor& from, const Tensor& to) override;
  const int exceptions_ = std::uncaught_exceptions();
  std::vector<std::pair<std::shared_ptr<VariableState>, Tensor>> before_;
};

/// True where a call has to run as plain code: inside a trace, which then holds its ops, and where each op is checked.
inline bool runs_inline() { return active_tracer() || context().anomaly; }
/// True where a call has to be an op that recorders see.
inline bool is_recorded() { return !active_recorders().empty(); }

}  // namespace detail
}  // namespace weft
