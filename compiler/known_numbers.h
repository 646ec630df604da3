// Operands of a node that are one constant: what its formula comes to then.
#pragma once

#include <optional>

#include "../ops/graph.h"

namespace weft {

/// The bits, in its compute type, of the number that v is everywhere, if it is a constant.
std::optional<std::uint64_t> known_number(const Graph& graph, ValueId v);

/// An elementwise node's formula with its known operands folded in.
Formula formula_of(const Graph& graph, const Graph::Node& node);

}  // namespace weft
