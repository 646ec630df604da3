// Two reports, benchmark by benchmark: faster, slower, the same, or not to be judged.
#pragma once

#include <string>
#include <vector>

#include "runs.h"

namespace bench {

struct Limits {
  double alpha = 0.05;   ///< a difference is one if chance gives it less often
  double change = 0.05;  ///< and if the medians differ by so much
  double noise = 0.05;   ///< a benchmark whose repetitions vary by more, in either report, is not judged
};

enum class Verdict { same, faster, slower, noisy, too_few, only_before, only_after };

struct Judged {
  std::string name;
  std::vector<double> before, after;
  double ratio = 0;  ///< of the medians, after over before; 0 if one is missing
  double p = 1;
  Verdict verdict = Verdict::same;

  /// What the table says: "slower", "noisy: varies by 9 %".
  std::string text() const;
  bool is_judged() const { return verdict <= Verdict::slower; }
};

/// One for each name in either report. "too few" means that no outcome of so many repetitions has a p below alpha: 4
/// of each suffice for 0.05.
std::vector<Judged> judge(const Runs& before, const Runs& after, const Limits& limits);

/// The geometric mean of the ratios of what was judged; 1 if nothing was.
double geometric_mean(const std::vector<Judged>& list);

}  // namespace bench
