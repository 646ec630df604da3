// Regions: steps that compute each row from that row alone, as the layers of a small net do for each example. A thread
// takes some rows through all of the steps, and none waits for another: a matrix product of a few microseconds is too
// short for a cut of its own. No cut of rows changes a bit.
#pragma once

#include "steps.h"

namespace weft {

/// Steps [begin, end): products with matrices from before them, and pointwise or row by row kernels.
struct Region {
  std::size_t begin, end;
  std::int64_t rows;
  double time;  // of all on one core, in ns, roughly
};

/// `states`: by value, those that a region leaves alone, because they may lie where a variable's old value does. What
/// the steps of one region write is at most so much that the arena does not grow by much: until its end all of it
/// lives. `log`: which they are, and what ended them.
std::vector<Region> find_regions(const Graph& graph, std::span<const Step> steps, const std::vector<bool>& states,
                                 PassLog* log = nullptr);

/// True if a row of the region depends on no other row of these values (by value): of what the round of a loop before
/// made.
bool keeps_to_rows_of(const std::vector<bool>& values, const Region& region, const Graph& graph,
                      std::span<const Step> steps);

/// On how many threads a region pays now; 1: its steps run one by one.
int threads_for(const Region& region);
/// Runs the steps of a region on so many threads.
void run_region(const Region& region, int threads, const Graph& graph, std::span<const Step> steps,
                std::byte* const* slots);
/// Runs rows [begin, end) of it on the calling thread.
void run_region_part(const Region& region, const Graph& graph, std::span<const Step> steps, std::byte* const* slots,
                     std::int64_t begin, std::int64_t end);

}  // namespace weft
