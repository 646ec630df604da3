// Checks of what passes over steps made: a mistake is found where it was made, not in a wrong result.
#pragma once

#include <map>
#include <string_view>

#include "regions.h"
#include "steps.h"

namespace weft {

/// What runs in a list of steps (a loop, a node as a whole, a copy; by number), and for each of its reads, in order,
/// what wrote it.
using Flow = std::map<std::uint64_t, std::vector<std::vector<std::uint64_t>>>;

/// The flow of steps. ArgumentError unless each part of it runs once and reads what is an input, a constant or written
/// by an earlier step, segments of a launch leave alone what others of it write, a product that goes strip by strip to
/// a loop is the operand that the loop has of it and is read by nobody else, and outputs are written.
Flow verify(const Graph& graph, std::span<const Step> steps, std::span<const ValueId> direct);

/// ArgumentError unless a pass left out nothing, and all still read what they read before.
void verify_same(std::string_view pass, const Flow& before, const Flow& after);

/// ArgumentError unless regions follow each other, hold two steps or more, which are products of their rows with
/// matrices from before them, and launches, and write no variable's new value (by value: `states`).
void verify(const Graph& graph, std::span<const Step> steps, std::span<const Region> regions,
            const std::vector<bool>& states);

/// Where a value lies: bytes [begin, end) of one of several memories.
struct Place {
  std::int64_t memory, begin, end;
};

/// ArgumentError if a step reads memory in which another value lies by then, or writes over what it, or another step of
/// its region, reads or writes, but for a variable's new value over the old one, element by element. `places`: by
/// value.
void verify(const Graph& graph, std::span<const Step> steps, std::span<const Region> regions,
            std::span<const Place> places, std::span<const ValueId> direct);

}  // namespace weft
