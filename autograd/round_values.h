// What a recorded loop keeps of its rounds, so that its gradient does not compute it again.
#pragma once

#include "control_ops.h"

namespace weft {

/// The loop with `keep`, and with further ys behind the body's: what a tape would keep of a round, that is the values
/// which gradient rules read, but for those that cost less to compute again than to keep.
ScanAttrs keeping_values(ScanAttrs attrs);

/// A round's graph whose last outputs are values that inputs from `first` on have already, as many of them: the graph
/// without those outputs, and with what was computed from them computed from the inputs instead. An input that is of no
/// use is left out, and false in `used`.
Body with_known_values(const Graph& round, std::size_t first, std::vector<bool>& used);

}  // namespace weft
