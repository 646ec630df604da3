// The arithmetic of all of a graph.
#pragma once

#include <optional>

#include <weft/ops/graph.h>
#include <weft/ops/work.h>

namespace bench {

/// The sum of its nodes' work; nothing if that of one of them is not counted.
std::optional<weft::OpWork> work_of(const weft::Graph& graph);

}  // namespace bench
