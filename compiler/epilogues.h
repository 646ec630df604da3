// Epilogues: a matrix product that one pointwise loop reads, as the update of a weight reads its gradient, goes to that
// loop strip by strip, from L2. It is neither stored nor loaded again, and what the loop stores goes to memory while
// the next strip is computed. Only for loops that move more than the caches hold: others wait for no memory.
#pragma once

#include <span>

#include "regions.h"
#include "steps.h"

namespace weft {

/// Takes such products to where their loops are, but for those that read what is overwritten until then. `outputs`: of
/// the graph. `successors`: by value, for a variable that is written its new value, which may come to lie where it
/// does; else no_value. `stay`: regions, whose steps are left as they are. `log`: what became of each product, and why.
void attach_epilogues(const Graph& graph, std::vector<Step>& steps, std::span<const ValueId> outputs,
                      std::span<const ValueId> successors, std::span<const Region> stay, PassLog* log = nullptr);

/// Runs one, on several threads where that pays.
void run_epilogue(const EpilogueStep& step, const Graph& graph, std::byte* const* slots);

}  // namespace weft
