// The stages of compiling that dump() shows.
#pragma once

#include <span>
#include <string_view>

namespace weft {

/// "traced", the graph as it was written down; "passes", what each pass that changed something made; "graph", after all
/// of them; "groups", its loops; "plan", the steps of a call in memory; all these also as pictures, "graph.dot" ("dot":
/// that of the groups); "fusion", as explain_fusion(); "kernels", "llvm", "assembly".
std::span<const std::string_view> dump_stages();

/// ArgumentError, with their names, unless it is one.
void check_stage(std::string_view stage);

}  // namespace weft
