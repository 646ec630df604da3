// Which variables a step overwrites where they lie.
#pragma once

#include <span>
#include <vector>

#include "../ops/graph.h"
#include "steps.h"

namespace weft {

/// A variable that is written: its value before, and the value that a step computes right into the new one; no_value if
/// that is copied at the end.
struct NewState {
  ValueId old, fresh;
};

/// By state, whether the new value may go to where the old one lies. It may if the step that computes it takes the old
/// one element by element in one pass, or is made to work in place, if no later step reads the old one, and if neither
/// a later step can throw nor that one when it has begun to write: a call that throws leaves every variable as it was.
/// Not `atomic`: that does not matter, the old value is of no use then.
std::vector<bool> find_overwrites(const Graph& graph, std::span<const Step> steps, std::span<const NewState> states,
                                  bool atomic = true);

}  // namespace weft
