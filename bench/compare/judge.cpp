#include "judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "mann_whitney.h"

namespace bench {
namespace {

// The least p that samples of these sizes can have: one wholly below the other.
double least_p(std::size_t n, std::size_t m) {
  std::vector<double> low(n), high(m);
  for (std::size_t i = 0; i < n; ++i) low[i] = static_cast<double>(i);
  for (std::size_t i = 0; i < m; ++i) high[i] = static_cast<double>(n + i);
  return mann_whitney(low, high).p;
}

Repetitions found(const Runs& runs, const std::string& name) {
  const auto at = runs.find(name);
  return at == runs.end() ? Repetitions{} : at->second;
}

double noise_of(const Judged& r) { return std::max(variation(r.before.times), variation(r.after.times)); }

Verdict verdict_of(const Judged& r, const Limits& limits) {
  if (!r.after.wrong.empty()) return Verdict::wrong;
  if (r.after.times.empty()) return Verdict::only_before;
  if (!r.before.wrong.empty()) return Verdict::wrong_before;
  if (r.before.times.empty()) return Verdict::only_after;
  if (least_p(r.before.times.size(), r.after.times.size()) >= limits.alpha) return Verdict::too_few;
  const double change = std::max(r.ratio, 1 / r.ratio) - 1, noise = noise_of(r);
  if (r.p < limits.alpha && change >= limits.change && change > noise)
    return r.ratio > 1 ? Verdict::slower : Verdict::faster;
  return noise > limits.noise ? Verdict::noisy : Verdict::same;
}

Judged judge_one(const std::string& name, const Repetitions& before, const Repetitions& after, const Limits& limits) {
  Judged r{name, before, after};
  if (!before.times.empty() && !after.times.empty()) {
    r.ratio = median(after.times) / median(before.times);
    r.p = mann_whitney(before.times, after.times).p;
  }
  r.verdict = verdict_of(r, limits);
  return r;
}

}  // namespace

std::string Judged::text() const {
  switch (verdict) {
    case Verdict::same: return "same";
    case Verdict::faster: return "faster";
    case Verdict::slower: return "SLOWER";
    case Verdict::wrong: return "WRONG: " + after.wrong.substr(0, after.wrong.find('\n'));
    case Verdict::noisy: return fmt::format("noisy: varies by {:.0f} %", 100 * noise_of(*this));
    case Verdict::too_few:
      return fmt::format("too few: {} and {} repetitions", before.times.size(), after.times.size());
    case Verdict::wrong_before: return "only after: wrong before";
    case Verdict::only_before: return "MISSING: only before";
    case Verdict::only_after: return "only after";
  }
  return "";
}

std::vector<Judged> judge(const Runs& before, const Runs& after, const Limits& limits) {
  std::set<std::string> names;
  for (const Runs* runs : {&before, &after})
    for (const auto& [name, times] : *runs) names.insert(name);
  std::vector<Judged> list;
  for (const std::string& name : names)
    list.push_back(judge_one(name, found(before, name), found(after, name), limits));
  return list;
}

double geometric_mean(const std::vector<Judged>& list) {
  double logarithms = 0, count = 0;
  for (const Judged& r : list)
    if (r.is_judged()) logarithms += std::log(r.ratio), ++count;
  return count == 0 ? 1 : std::exp(logarithms / count);
}

}  // namespace bench
