// The steps of an executable, in the order in which they run, and passes over their list.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "../ops/graph.h"
#include "launch.h"

namespace weft {

class Executable;
class PassLog;

inline constexpr ValueId no_value = UINT32_MAX;

/// One node, by the op's own kernel.
struct NodeStep {
  std::uint32_t node;
  std::vector<Access> in;
  ValueId out;
  std::vector<std::shared_ptr<Executable>> bodies;  // of control flow
  std::vector<GraphRunner*> runners;                // the same
};

/// An output that no step could write itself.
struct CopyStep {
  Access from;
  std::size_t output;  // number of the graph's output
};

/// A matrix product and the one loop that reads it, which takes it strip by strip: it is stored nowhere.
struct EpilogueStep {
  NodeStep product;
  LaunchStep loop;      // of one segment
  std::size_t operand;  // of the loop: the product
};

using Step = std::variant<LaunchStep, NodeStep, EpilogueStep, CopyStep>;

/// The launch of a step that has one; else null.
template <class AnyStep> auto* launch_of(AnyStep& step) {
  if (auto* with = std::get_if<EpilogueStep>(&step)) return &with->loop;
  return std::get_if<LaunchStep>(&step);
}

/// visit(base value, is output) for each use that a step makes of a buffer.
template <class Visit> void each_use(const Graph& graph, const Step& step, Visit&& visit) {
  if (const auto* launch = std::get_if<LaunchStep>(&step)) {
    for (const Launch& l : launch->segments)
      for (const LaunchOperand& o : l.operands) visit(o.value, o.output);
  } else if (const auto* with = std::get_if<EpilogueStep>(&step)) {
    for (const Access& a : with->product.in) visit(a.base, false);
    for (const LaunchOperand& o : with->loop.segments[0].operands)
      if (o.value != with->product.out) visit(o.value, o.output);
  } else if (const auto* node = std::get_if<NodeStep>(&step)) {
    for (const Access& a : node->in) visit(a.base, false);
    for (int k = 0; k < graph.nodes[node->node].outputs; ++k) visit(node->out + static_cast<ValueId>(k), true);
  } else {
    visit(std::get<CopyStep>(step).from.base, false);
  }
}

/// "kernel, 2 segments", "matmul", "copy".
std::string step_name(const Graph& graph, const Step& step);
/// A line for each step: what it reads and writes. `offsets`: by value, where in the arena it lies; -1: elsewhere.
std::string steps_text(const Graph& graph, std::span<const Step> steps, std::span<const std::int64_t> offsets = {});

/// The access shows all of a base of this type, in its order.
bool is_whole(const Access& a, const Type& base);

/// The first input of an op that computes in place, if nobody needs it afterwards, comes to lie where the output does.
/// `direct`: by output of the graph, the value computed right into it, or no_value.
void share_buffers(const Graph& graph, std::vector<Step>& steps, std::span<const ValueId> direct);

/// Launches over pointwise columns become one over a table of segments, if they have equal kernels, or write nothing
/// but new values of variables (`states`, by value), and between them are only launches that neither needs.
void merge_launches(const Graph& graph, std::vector<Step>& steps, const std::vector<bool>& states,
                    PassLog* log = nullptr);

}  // namespace weft
