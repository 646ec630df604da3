// GradientTape: reverse-mode differentiation of what ran while it recorded.
//
//     GradientTape tape;
//     Tensor loss = mean(square(matmul(x, w) - y));
//     Tensor dw = tape.gradient(loss, w);
#pragma once

#include <memory>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "../ops/arg.h"
#include "../ops/recorder.h"
#include "gradients.h"
#include "structure.h"

namespace weft {

/// What the gradient is where the target does not depend on the source: undefined, or zeros of its type.
enum class Unconnected { none, zero };

struct TapeOptions {
  bool persistent = false;               ///< gradient() may be called any number of times; memory is kept
  bool watch_accessed_variables = true;  ///< trainable variables are watched when they are read
};

/// A trailing argument of GradientTape::gradient.
struct GradientOptions {
  std::vector<Tensor> output_gradients = {};  ///< one for each target, undefined for ones; none at all: ones
  Unconnected unconnected = Unconnected::none;
};

template <class T>
concept TensorOrVariable = std::is_same_v<T, Tensor> || std::is_same_v<T, Variable>;

namespace detail {
/// Lets warnings that are given once a process be given again; for tests.
void forget_tape_warnings();
}  // namespace detail

/// A trailing argument of GradientTape::jacobian and batch_jacobian.
struct JacobianOptions {
  Unconnected unconnected = Unconnected::none;
  bool vectorized = true;  ///< all rows at once; false: one after the other, in less memory, by a persistent tape
};

/// A tape belongs to the thread that made it: it sees no other's ops, other threads' calls are GradErrors, and it dies
/// there too. Tapes nest, and each watches for itself.
class GradientTape : private Recorder {
 public:
  /// Records from here on, on this thread. Errors name this line.
  explicit GradientTape(TapeOptions options = {}, Site site = Site::current());
  ~GradientTape() override;
  GradientTape(const GradientTape&) = delete;

  /// Watches tensors and variables, also as parts of structures. What is watched by no float type has no gradient.
  template <Structured... S> void watch(const S&... sources) {
    (each_leaf(sources, [&](const auto& leaf) { watch_leaf(leaf); }), ...);
  }

  /// The gradients of a target (several: of their sum; not a scalar: of the sum of its elements) for each source, in
  /// the sources' structure: one source gives it alone, several a tuple, a model gives Gradients. The last argument may
  /// be GradientOptions. A tape that is not persistent can be asked once, and then stops. Asked within its scope, a
  /// persistent one records the gradient's ops as well, which gives derivatives of any order. GradError, ShapeError,
  /// DTypeError, and what a custom gradient throws.
  template <Structured Target, class... Args> auto gradient(const Target& target, const Args&... args) {
    std::vector<Tensor> targets;
    each_leaf(target, [&](const auto& leaf) { targets.push_back(target_value(leaf)); });
    return with_options<GradientOptions>(std::forward_as_tuple(args...), [&](const auto& sources, const auto& options) {
      return compute(targets, sources, options);
    });
  }

  /// Why the gradient of `target` for `source` is undefined: the ops from the source to where the path breaks, with
  /// their lines, and the reason; of a structure, a model for example, for each tensor and variable in turn. A tape
  /// that is not persistent tells before gradient().
  ///
  ///     no gradient: each path from the source f32[3] to the target f32[] breaks
  ///       mul at step.cpp:10
  ///       cast (dtype=i32) at step.cpp:11: it gives no float, and only floats have gradients
  template <TensorOrVariable Target, Structured S> std::string explain(const Target& target, const S& source) {
    const Tensor y = target_value(target);
    std::string text;
    each_leaf(source, [&](const auto& leaf) { text += explain_leaf(y, source_of(leaf)); });
    return text;
  }

  /// The derivatives of each element of the target for each source, of shape target.shape + source.shape, in the
  /// sources' structure. The last argument may be JacobianOptions. GradError as gradient(), and if the rows are to come
  /// one after the other from a tape that is not persistent.
  ///
  ///     Tensor j = tape.jacobian(y, x);  // y [m], x [n]: j [m, n]
  template <TensorOrVariable Target, class... Args> auto jacobian(const Target& target, const Args&... args) {
    const Tensor y = target_value(target);
    return with_options<JacobianOptions>(std::forward_as_tuple(args...), [&](const auto& sources, const auto& options) {
      return compute_jacobian(y, sources, options);
    });
  }

  /// For a target [b, y...] of which row i depends on row i alone of the source [b, x...]: the rows' jacobians,
  /// [b, y..., x...]; zeros if the target does not depend on the source. ShapeError if a rank is below 2 or the
  /// first dimensions differ; otherwise as jacobian().
  ///
  ///     Tensor j = tape.batch_jacobian(y, x);  // y [b, m], x [b, n]: j [b, m, n]
  Tensor batch_jacobian(const Tensor& target, const Tensor& source, const JacobianOptions& options = {});

  /// While the returned scope lives nothing is recorded. GradError if the tape is not recording; GuardError inside a
  /// function that is traced (a loop's body), of which the tape sees one op.
  class Pause {
   public:
    explicit Pause(GradientTape& tape) : tape_(&tape) {
      tape.check_sees_ops();
      tape.stop();
    }
    ~Pause() {
      if (!tape_->recording()) tape_->start();
    }
    Pause(const Pause&) = delete;

   private:
    GradientTape* tape_;
  };
  [[nodiscard]] Pause stop_recording() { return Pause(*this); }

  /// Ends the recording; GradError if it has ended. start() goes on with the same one; GradError if it is running.
  void stop();
  void start();
  bool recording() const { return recording_; }
  /// Forgets everything, and records.
  void reset();
  /// Variables watched so far, in order of their construction; also after gradient().
  std::vector<std::shared_ptr<VariableState>> watched_variables() const;
  /// Ops on the tape now.
  std::size_t size() const { return entries_.size() - blind_entries_; }
  /// Memory that the tape itself takes, the saved tensors' elements apart.
  std::size_t bytes() const;

 private:
  using Slot = std::uint32_t;
  // A value that depends on something watched, but through what has no gradient (a cast to integers, an assignment):
  // kept for explain(), at the cost of an entry. no_slot is blind too.
  static constexpr Slot blind = 1u << 31, no_slot = UINT32_MAX;
  static constexpr bool live(Slot slot) { return !(slot & blind); }
  static constexpr Slot number(Slot slot) { return slot & ~blind; }

  // One op that depends on something watched. Its values' slots stand in slots_, what its rule reads in saved_.
  struct Entry {
    const Op* op;
    Attrs attrs;
    Site site;
    const Scope* scope;
    std::uint32_t slots, saved, types, inputs, outputs;
  };
  // From tensor ids to slots: open addressing, linear probing.
  class SlotTable {
   public:
    Slot find(std::uint64_t id) const;
    Slot insert(std::uint64_t id, Slot flags = 0);  // a new one, or the one it has; a blind one can become live
    Slot size() const { return used_; }
    std::size_t bytes() const { return cells_.capacity() * sizeof(Cell); }

   private:
    struct Cell {
      std::uint64_t id = 0;
      Slot slot = 0;
    };
    std::vector<Cell> cells_;
    Slot used_ = 0;
  };
  struct Watched {
    std::shared_ptr<VariableState> variable;
    std::vector<Slot> values;  // of each value it had when it was read
  };
  // An input that a rule left without a gradient though one came back to the op.
  struct Withheld {
    std::size_t entry, input;
  };

  void record(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) override;
  void read(const std::shared_ptr<VariableState>& variable, const Tensor& value) override;
  void assigned(const std::shared_ptr<VariableState>& variable, const Tensor& from, const Tensor& to) override;

  void watch_leaf(const Tensor& t);
  void watch_leaf(const Variable& v);
  Watched& watched(const std::shared_ptr<VariableState>& variable);
  Tensor target_value(const Tensor& t) { return t; }
  Tensor target_value(const Variable& v);

  struct Source {
    Tensor tensor;  // or
    std::shared_ptr<VariableState> variable;
  };
  static Source source_of(const Tensor& t) { return {t, nullptr}; }
  static Source source_of(const Variable& v) {
    if (!v.defined()) throw ArgumentError("gradient for an undefined variable");
    return {{}, v.state()};
  }
  std::vector<Tensor> compute(std::span<const Tensor> targets, std::span<const Source> sources,
                              const GradientOptions& options);
  std::vector<Slot> slots_of(const Source& source) const;  // those that a gradient can reach
  // Sends the cotangents back; frees each entry after its use, or notes in `withheld` where a rule gives nothing.
  void replay(std::vector<Tensor>& cotangents, const std::vector<bool>& keep, bool release,
              std::vector<Withheld>* withheld = nullptr);
  std::string explain_leaf(const Tensor& target, const Source& source);
  std::string explain_paths(const Tensor& target, const Source& source);
  std::string explain_unreached(const Tensor& target) const;
  void check_sees_ops() const;
  void check_thread() const;
  std::vector<Tensor> compute_jacobian(const Tensor& target, std::span<const Source> sources,
                                       const JacobianOptions& options);
  std::vector<Tensor> rows_of_jacobian(const Tensor& target, const Tensor& cotangents, std::span<const Source> sources,
                                       bool vectorized);
  void note_switch();
  void clear();
  void reset_history();

  // Takes the options, if there are any, from the end of the arguments: the others are sources. compute(sources,
  // options) gives their results, which come in the sources' structure.
  template <class Options, class... Args, class Compute>
  auto with_options(const std::tuple<Args...>& args, Compute compute) {
    constexpr std::size_t n = sizeof...(Args);
    if constexpr (n > 0 &&
                  std::is_same_v<std::remove_cvref_t<std::tuple_element_t<n - 1, std::tuple<Args...>>>, Options>)
      return results_for(args, std::make_index_sequence<n - 1>(),
                         [&](const auto& sources) { return compute(sources, std::get<n - 1>(args)); });
    else
      return results_for(args, std::make_index_sequence<n>(),
                         [&](const auto& sources) { return compute(sources, Options{}); });
  }
  template <class Tuple, std::size_t... i, class Compute>
  auto results_for(const Tuple& args, std::index_sequence<i...>, Compute compute) {
    static_assert(sizeof...(i) > 0, "gradient: name at least one source");
    std::vector<Source> sources;
    (each_leaf(std::get<i>(args), [&](const auto& leaf) { sources.push_back(source_of(leaf)); }), ...);
    const std::vector<Tensor> results = compute(sources);
    std::size_t next = 0;
    const auto result = [&](const auto&) { return results[next++]; };
    if constexpr (sizeof...(i) == 1)
      return map_leaves(std::get<0>(args), result);
    else
      return std::tuple<decltype(map_leaves(std::get<i>(args), result))...>{map_leaves(std::get<i>(args), result)...};
  }
  TapeOptions options_;
  Site site_;  // where it was made
  bool recording_ = false, used_ = false;
  const Tracer* tracer_ = nullptr;  // in whose trace it records
  std::thread::id thread_ = std::this_thread::get_id();
  std::vector<Entry> entries_;
  std::size_t blind_entries_ = 0;
  std::vector<Slot> slots_;
  std::vector<Tensor> saved_;
  std::vector<Type> types_;
  SlotTable table_;
  std::vector<Watched> watched_;
  std::uint64_t began_ = 0;              // the id that came next when the recording began
  std::vector<std::uint64_t> switched_;  // and when it ended, began again, ...
};

}  // namespace weft
