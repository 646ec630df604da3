// The ops of control flow. Their attributes hold graphs, whose inputs and outputs are the ops' own, a round at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/batching.h"
#include "../ops/forward.h"

namespace weft {

using Body = std::shared_ptr<const Graph>;

// What the ops' rules share.
namespace control {
inline std::size_t size(int n) { return static_cast<std::size_t>(n); }
/// n values of this type, along a new first axis.
Type stacked(const Type& t, std::int64_t n);
/// The i-th of them.
View element(const View& stack, std::int64_t i);
std::vector<Tensor> apply_several(const Op& op, const Attrs& attrs, std::size_t outputs, std::span<const Tensor> in);
/// What v shows, in its order, but in whatever shape.
ValueId source_of(const Graph& graph, ValueId v);
/// By input of a graph: whether a node reads it, or it is an output.
std::vector<bool> inputs_read(const Graph& graph);
/// The graph without those inputs that may go and are not read. `may_go` is then true for those that went.
Body without_unread_inputs(const Graph& graph, std::vector<bool>& may_go);
}  // namespace control

struct CondAttrs {
  Body then, otherwise;
  void each(auto&& f) const { f("then", then), f("otherwise", otherwise); }
};
/// Inputs: the predicate, then those of both graphs.
struct Cond {
  static constexpr auto name = "cond";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::inputs;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static std::vector<Body> graphs(const Attrs& a) { return {a.as<CondAttrs>().then, a.as<CondAttrs>().otherwise}; }
  static void run_graphs(const Attrs&, std::span<GraphRunner* const> runners, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

struct ScanAttrs {
  Body body;        // (carries, elements of xs, constants) -> (carries, ys)
  int carries, xs;  // how many
  std::int64_t length;
  bool reverse;
  bool keep;  // further outputs: the carries before each round, stacked; what else a gradient needs are ys
  void each(auto&& f) const {
    f("body", body), f("carries", carries), f("xs", xs), f("length", length), f("reverse", reverse), f("keep", keep);
  }
};
struct Scan {
  static constexpr auto name = "scan";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::values;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static std::vector<Body> graphs(const Attrs& a) { return {a.as<ScanAttrs>().body}; }
  static void run_graphs(const Attrs&, std::span<GraphRunner* const> runners, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

struct WhileAttrs {
  Body condition, body;  // (carries, constants) -> bool[] and carries
  int carries;
  std::int64_t max_iterations;  // negative: no bound
  /// If not 0, further outputs: the number of rounds; a stride; and the carries before every stride-th round, stacked:
  /// so many of them. The stride is 1, and doubled as often as it takes for the rounds to have room.
  std::int64_t slots;
  void each(auto&& f) const {
    f("condition", condition), f("body", body), f("carries", carries), f("max_iterations", max_iterations),
        f("slots", slots);
  }
  /// The slots that a gradient needs: all rounds where a bound says how many there may be, else 64, or fewer of large
  /// carries.
  std::int64_t slots_for_gradient() const;
};
struct While {
  static constexpr auto name = "while_loop";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::values;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static std::vector<Body> graphs(const Attrs& a) { return {a.as<WhileAttrs>().condition, a.as<WhileAttrs>().body}; }
  static void run_graphs(const Attrs&, std::span<GraphRunner* const> runners, Views in, Views out);
  static void vjp(Backward& b);
  static void jvp(Forward& f);
  static void batch(Batching& b);
};

/// Applies one of them: as many outputs as its attributes say.
std::vector<Tensor> apply_cond(const CondAttrs& attrs, std::span<const Tensor> in);
std::vector<Tensor> apply_scan(const ScanAttrs& attrs, std::span<const Tensor> in);
/// The same with what all rounds have in common done once; where something records, with what the gradient needs behind
/// the body's own outputs.
std::vector<Tensor> run_scan(const ScanAttrs& attrs, std::span<const Tensor> in);
std::vector<Tensor> apply_while(const WhileAttrs& attrs, std::span<const Tensor> in);

}  // namespace weft
