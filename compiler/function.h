// What compile() keeps behind its template: the traces made for signatures.
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
#include "../tensor/site.h"
#include "signature.h"
#include "stats.h"

namespace weft {

class Callee;
class Executable;

struct CompileOptions {
  /// Runs eagerly beside each call, from the same state, and compares every bit (GuardError, and no variable has
  /// changed). Other threads' writes wait meanwhile; a call under a tape is not compared.
  bool check = false;
  std::size_t max_traces = 64;  ///< the least recently used trace goes when there are more
};

namespace detail {

/// One trace, compiled.
struct Traced {
  Signature signature;
  std::shared_ptr<Executable> executable;  // captured tensors are constants, variables are inputs
  Variables variables;                     // captured or passed
  struct Owned {
    std::shared_ptr<VariableState> variable;
    std::int64_t moves;
  };
  std::vector<Owned> owned;  // of those captured, the ones that somebody held when it was made
  /// What tapes in it and their gradients went by.
  std::vector<std::pair<std::shared_ptr<VariableState>, bool>> trainable;
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

/// What a function returned, the defined tensors in it, and whether it names variables, as Gradients do.
struct BodyResult {
  std::any value = {};
  std::vector<Tensor> leaves = {};
  bool names_variables = false;
};

class FunctionCache {
 public:
  FunctionCache(CompileOptions options, const Site& site);  // ArgumentError for no traces at all

  /// Calls the function on placeholders for the signature's tensors.
  using TraceBody = std::function<BodyResult(std::span<const Tensor> placeholders)>;
  /// The trace for a signature, made now if there is none.
  std::shared_ptr<Traced> find(Signature&& signature, const TraceBody& body);
  /// Runs it on the arguments and variables passed; under `check` compares with `eager`, which gives the leaves of the
  /// function run eagerly.
  void run(const Traced& traced, std::span<const Tensor> args, const Variables& passed, std::span<Tensor> results,
           const std::function<std::vector<Tensor>()>& eager);
  /// Runs it as one op that recorders see.
  void run_recorded(const Traced& traced, std::span<const Tensor> args, const Variables& passed,
                    std::span<Tensor> results);

  CompileStats stats() const;
  std::string dump(std::string_view stage) const;
  std::vector<std::string> captures() const;

 private:
  /// Runs it eagerly and compiled, from the same state, and compares.
  static void check(const Traced& traced, std::span<const Tensor> args, const Variables& variables,
                    std::span<Tensor> results, const std::function<std::vector<Tensor>()>& eager);
  std::shared_ptr<Traced> latest() const;
  std::shared_ptr<Traced> use(std::size_t trace);  // and note that it was
  CompileOptions options_;
  Site site_;                                    // where it was made
  mutable std::recursive_mutex mutex_;           // held while it is traced: what it calls may ask for stats()
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

/// True where a call has to run as plain code: inside a trace, which then holds its ops, where each op is checked, and
/// where variables are read otherwise.
inline bool runs_inline() { return active_tracer() || context().anomaly || substitutes; }
/// GuardError where variables are read otherwise: a trace would keep what is read there.
void check_reads_variables();
/// True where a call has to be an op that recorders see.
inline bool is_recorded() { return !active_recorders().empty(); }

}  // namespace detail
}  // namespace weft
