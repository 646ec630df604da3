// Executable: a compiled graph. A flat list of steps over planned memory.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../autograd/round_runner.h"
#include "../ops/graph.h"
#include "../ops/variable.h"
#include "../tensor/site.h"
#include "kept_tensors.h"
#include "overwrites.h"
#include "pass_log.h"
#include "regions.h"
#include "stats.h"
#include "steps.h"
#include "verify_steps.h"

namespace weft {

class Executable final : public RoundRunner {
 public:
  /// `graph`: its inputs are `args` arguments, then the variables read; its outputs are `results` results, then the new
  /// values of the variables `written` (numbers into the variables).
  /// `logs`: for stages that it has not got else; it generates no code then, and runs slowly. `compiled_at`: what
  /// profiles call it by.
  Executable(const Graph& graph, std::size_t args, std::size_t results, std::vector<std::size_t> written,
             double trace_ms = 0, bool logs = false, const Site& compiled_at = {});
  /// What other code runs: a body of control flow, a kept value. All its inputs are arguments, all its outputs results;
  /// it keeps nothing.
  explicit Executable(const Graph& graph, bool logs = false);
  ~Executable() override;

  /// Runs it. A call that throws leaves every variable as it was. Any thread may call.
  void run(std::span<const Tensor> args, std::span<const std::shared_ptr<VariableState>> variables,
           std::span<Tensor> results);

  /// Runs one that writes no state, from and to memory of the caller's; the outputs are contiguous.
  void run(Views in, Views out) override;
  bool overwrites(std::size_t k) const override;
  /// Where a row of a round depends on that row of the round before alone, each thread takes some rows through all
  /// rounds: none waits for another.
  bool run_rounds(std::int64_t rounds, std::size_t moving, Views in, const Operands& operands) override;

  /// Held while state is written: such calls, of whatever function, come one after the other. Empty for one that writes
  /// none.
  std::unique_lock<std::recursive_mutex> state_lock() const;

  CompileStats stats() const;
  /// One of dump_stages(); ArgumentError for another. Then the same of the bodies of control flow.
  std::string dump(std::string_view stage) const;
  /// Whether a stage is to be had of one that logs alone.
  static bool wants_log(std::string_view stage);

 private:
  struct Frame;

  Executable(const Graph& graph, std::size_t args, std::size_t results, std::vector<std::size_t> written,
             double trace_ms, bool logs, const Site& compiled_at, bool keeps);

  std::string dump_own(std::string_view stage) const;
  std::string plan_text() const;
  std::string fusion_text() const;

  /// Groups the nodes; if `keeps`, when what pays kept has become variables.
  Grouping group(bool keeps);
  std::string kept_text() const;
  /// Values whose groups run as late as they can: they overwrite variables.
  std::vector<bool> late_values() const;
  void build_steps(const Grouping& grouping);
  std::vector<bool> states() const;         // by value: whether a variable's new value is computed right into it
  std::vector<ValueId> successors() const;  // by value: of a variable that is written, its new value; else no_value
  void plan();
  /// The variables written; of a graph that writes none what may be a loop's carries: results of their argument's type.
  std::vector<NewState> new_states() const;
  void keep_carries_apart(std::span<const NewState> carries);
  std::vector<Place> memory() const;  // by value: the arena, or a memory of its own
  void generate();
  std::unique_ptr<Frame> take_frame();
  std::unique_ptr<Frame> make_frame() const;  // without an arena
  Storage allocate_arena() const;
  void put_back(std::unique_ptr<Frame> frame);
  /// Begins the span of the whole call, or of steps [first, last).
  void profile_call(detail::ProfileSpan& span) const;
  void profile_steps(detail::ProfileSpan& span, std::size_t first, std::size_t last) const;
  /// Runs the steps on a frame whose slots for inputs are set; buffer_of(k) is the view of output k.
  template <class BufferOf> void run_steps(Frame& frame, BufferOf&& buffer_of);

  const std::unique_ptr<PassLog> log_;  // null: nobody asked
  Graph graph_;
  std::size_t args_, results_;
  std::vector<std::size_t> written_;   // numbers into the variables, then into the kept values
  std::unique_ptr<KeptTensors> kept_;  // null: there are none
  std::vector<Step> steps_;
  std::vector<Region> regions_;             // in the order of their steps
  std::vector<ValueId> direct_;             // by output: the value computed right into it, or no_value
  std::vector<bool> in_place_;              // by new state: may overwrite the old value
  std::vector<std::int64_t> arena_offset_;  // by value; -1: not in the arena
  CompileStats stats_;
  const Site compiled_at_;      // unknown: of a part of another
  const std::uint64_t number_;  // of all that this process made
  std::mutex frames_mutex_;
  std::vector<std::unique_ptr<Frame>> frames_;
};

}  // namespace weft
