// Do two samples come from one distribution? By ranks, so that an outlier weighs no more than its place in the order.
#pragma once

#include <span>

namespace bench {

struct MannWhitney {
  double u;  ///< pairs (x of a, y of b) with x > y; equal ones count a half
  double p;  ///< two-sided: how often equal distributions give a u so far from the middle
};

/// Mann and Whitney's test (Annals of Mathematical Statistics 18, 1947). Up to 60 numbers in all p is exact, equal
/// numbers included: all ways to choose a's ranks are counted. Beyond, the normal approximation, corrected for equal
/// numbers and for continuity. Neither sample may be empty.
MannWhitney mann_whitney(std::span<const double> a, std::span<const double> b);

}  // namespace bench
