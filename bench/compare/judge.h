// Two reports, benchmark by benchmark: faster, slower, the same, or not to be judged.
#pragma once

#include <string>
#include <vector>

#include "runs.h"

namespace bench {

struct Limits {
  double alpha = 0.05;  ///< a difference is one if chance gives it less often
  double change =
      0.05;  ///< and if the medians differ by so much, and by more than the repetitions of either report vary
  double noise = 0.05;  ///< where these vary by more, what is no such difference is not called the same
};

enum class Verdict { same, faster, slower, wrong, noisy, too_few, wrong_before, only_before, only_after };

struct Judged {
  std::string name;
  Repetitions before, after;
  double ratio = 0;  ///< of the medians, after over before; 0 if one is missing
  double p = 1;
  Verdict verdict = Verdict::same;

  /// What the table says: "slower", "noisy: varies by 9 %".
  std::string text() const;
  bool is_judged() const { return verdict <= Verdict::slower; }
  /// Slower, or wrong afterwards, whatever it was before, or not there: a run that died half way is not the same.
  bool is_worse() const {
    return verdict == Verdict::slower || verdict == Verdict::wrong || verdict == Verdict::only_before;
  }
};

/// One for each name in either report. "too few" means that no outcome of so many repetitions has a p below alpha: 4
/// of each suffice for 0.05.
std::vector<Judged> judge(const Runs& before, const Runs& after, const Limits& limits);

/// The geometric mean of the ratios of what was judged; 1 if nothing was.
double geometric_mean(const std::vector<Judged>& list);

}  // namespace bench
