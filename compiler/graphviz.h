// Graphs and steps as pictures.
#pragma once

#include <string>

#include "groups.h"
#include "steps.h"

namespace weft {

/// The graph in Graphviz' language, with a box for each group, if they are given: `dot -Tsvg` draws it.
std::string graphviz(const Graph& graph, const Grouping* grouping = nullptr);
/// Its steps, and the buffers that go from one to another. `direct`: by output, the value computed right into it.
std::string graphviz(const Graph& graph, std::span<const Step> steps, std::span<const ValueId> direct);

}  // namespace weft
