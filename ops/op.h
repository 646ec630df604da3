// Op: what the door, the tape, the compiler and the tests know of an op. One constant object each; its address is the
// op's identity, so the set is open.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "../tensor/roofline.h"
#include "../tensor/tensor.h"
#include "attrs.h"
#include "formula.h"
#include "reduction.h"

namespace weft {

class Backward;
class Forward;
struct Graph;
class Batching;
class Transposing;

/// What an op is to the compiler.
enum class OpKind : std::uint8_t {
  elementwise,  // inputs and output of one shape; has a Formula
  reduction,    // [outer, n, inner] -> [outer, inner]; attributes ReduceAttrs
  view,         // no arithmetic: the output may be a view of the input
  kernel,       // anything else; runs as a whole
};

using Types = std::span<const Type* const>;
using Views = std::span<const View>;

/// What an op's gradient rule reads; the tape saves nothing else.
namespace reads {
inline constexpr std::uint32_t nothing = 0, in0 = 1, in1 = 2, in2 = 4, in3 = 8, out0 = 1 << 16, out1 = 1 << 17,
                               types = 1u << 31, inputs = 0xFFFF;
inline constexpr std::uint32_t values = ~types;
// From the 16th input and the 15th output on they share a bit: an op of so many declares all of them or none.
constexpr std::uint32_t in(std::size_t i) { return 1u << (i < 15 ? i : 15); }
constexpr std::uint32_t out(std::size_t i) { return 1u << (i < 14 ? 16 + i : 30); }
}  // namespace reads

/// The inputs in which an op is linear: in all of them at once, the others held fixed. Its tangent is then the op
/// itself on their tangents.
namespace linear {
inline constexpr std::uint32_t in0 = 1, in1 = 2, in2 = 4, all = 0xFFFF;
constexpr std::uint32_t in(std::size_t i) { return reads::in(i); }
}  // namespace linear

/// The loops of an elementwise op over n contiguous elements, by compute type; null where it has none. `past_caches`:
/// the operands are fetched ahead and the result is stored around them, of which others learn by an sfence; `out` is
/// then aligned to 64 bytes.
using ElementwiseLoop = void (*)(const void* const* in, void* out, std::int64_t n, bool past_caches);
struct NativeLoops {
  ElementwiseLoop by_type[8] = {};
};

/// Something that runs one of the graphs that an op's attributes hold.
class GraphRunner {
 public:
  virtual ~GraphRunner() = default;
  virtual void run(Views in, Views out) = 0;
};

/// What an op computes: as the machine issues it, and as profiles count it, where an fma is two flops.
struct OpWork : Arithmetic {
  double flops = 0;
};

struct Op {
  std::string_view name;
  OpKind kind = OpKind::kernel;
  int outputs = 1;
  std::uint32_t reads = reads::nothing;
  std::uint32_t linear = 0;
  bool differentiable = true;  // false: a cotangent stops here silently (comparisons, argmax, floor's kin have rules)
  bool checks = false;         // may throw on values: a compiled step runs it before its first state write
  bool effect = false;         // does something beside its result: runs in program order with others that do
  bool in_place = false;       // may compute its output where its first input lies, and then sees the same memory twice
  bool draws = false;          // random: under vmap each example has numbers of its own
  bool inlined = false;        // stands for the nodes of its graph: recorders see it, compiled code only them
  const char* operand_names = "";  // for messages: "lhs rhs"
  /// The output types. Throws what the door turns into a full message; kernels and rules check nothing again.
  void (*infer)(const Attrs&, Types in, std::span<Type> out) = nullptr;
  /// Computes the outputs; `out` is allocated, contiguous, and overlaps no input (but see in_place).
  void (*run)(const Attrs&, Views in, Views out) = nullptr;
  /// An op of control flow: the graphs that its attributes hold, and in place of `run` how it runs them, in the same
  /// order.
  std::vector<std::shared_ptr<const Graph>> (*graphs)(const Attrs&) = nullptr;
  void (*run_graphs)(const Attrs&, std::span<GraphRunner* const> runners, Views in, Views out) = nullptr;
  /// Kind view: sets out's strides and data so that it shows `in`, the first input; false if that can't be: then the
  /// elements are copied in row-major order. Further inputs are only waited for: see Barrier in autograd/recompute.cpp.
  bool (*view)(const Attrs&, const View& in, View& out) = nullptr;
  /// Kind reduction: which.
  Reduction reduction = Reduction::sum;
  /// Kind elementwise: the formula for inputs of these types, over their compute types.
  Formula (*formula)(const Attrs&, Types in) = nullptr;
  /// The gradient rule; null: there is none.
  void (*vjp)(Backward&) = nullptr;
  /// The forward rule; null: it follows from `linear`, the kind, or the gradient rule.
  void (*jvp)(Forward&) = nullptr;
  /// How it is applied to a batch of examples at once (vmap). Null: as its kind says, elementwise ops and reductions;
  /// of another kind, to one example after the other.
  void (*batch)(Batching&) = nullptr;
  /// How its outputs are computed transposed, in place of a transposition after it; null: they are not.
  void (*transposed)(Transposing&) = nullptr;
  /// Kind kernel: its arithmetic; null: it is not counted. That of other kinds follows: see work_of.
  OpWork (*work)(const Attrs&, Types in, Types out) = nullptr;
  /// Its outputs are its inputs from this one on: the op is there for gradients alone, and nobody computes it.
  int (*forwards)(const Attrs&) = nullptr;
  /// Kind elementwise: its loops for the ISA in use; null for a user's own op.
  const NativeLoops* (*loops)() = nullptr;
  /// Kind elementwise, of two operands: the op that gives the same bits of the first alone where the second is this
  /// number everywhere, in less time; null: there is none.
  const Op* (*with_number)(double) = nullptr;
};

/// The Op of an op struct: op_of<Exp>(). Built-in ones are defined in table.cpp; a user's own file includes define.h.
template <class Struct> const Op& op_of();

/// Every built-in op, in the order of the list in table.h.
std::span<const Op* const> all_ops();

}  // namespace weft
