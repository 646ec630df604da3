// Kept values: what a step computes from variables and constants alone (16-bit copies of weights, their turns and
// reorders, products of weights, tables of captured data) lies beside the step from call to call. It is computed again
// only when a variable has another value; of a variable that the step itself updates, by the loop that computes the
// update.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "groups.h"

namespace weft {

/// The most that a value depends on: an argument or what may throw; constants; variables that the step leaves;
/// variables that it writes.
enum class MadeOf : std::uint8_t { other, constants, variables, written_variables };
/// By value.
std::vector<MadeOf> find_made_of(const Graph& graph, std::size_t args, std::span<const std::size_t> written);

/// A value as a function of some of the step's variables; of none, it is computed once.
struct KeptValue {
  std::vector<std::size_t> variables;  // their numbers
  std::shared_ptr<const Graph> graph;  // an input for each; one output
};

/// A step with kept values. To it they are further variables, after its own: inputs that it reads, and those that it
/// computes itself are further states that it writes.
struct Keeping {
  std::vector<KeptValue> values;
  Graph graph;
  std::vector<std::size_t> written;
};

/// What pays kept of a graph whose inputs are `args` arguments, then variables, and whose outputs are `results`
/// results, then new values of the variables `written` (numbers into the variables). No values: nothing does.
///
/// Kept is what else would be computed to memory, by a launch or a kernel of its own: what goes into the loop that
/// reads it costs nothing. If the step writes one of the variables, only what the loop of that variable's update gives
/// too: else it would be computed as often as before.
Keeping keep_values(const Graph& graph, const Grouping& grouping, std::size_t args, std::size_t results,
                    std::span<const std::size_t> written);

}  // namespace weft
