// A graph as a picture.
#pragma once

#include <string>

#include "groups.h"

namespace weft {

/// The graph in Graphviz' language, a box for each group: `dot -Tsvg` draws it.
std::string graphviz(const Graph& graph, const Grouping& grouping);

}  // namespace weft
