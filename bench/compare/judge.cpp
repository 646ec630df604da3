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

std::vector<double> found(const Runs& runs, const std::string& name) {
  const auto at = runs.find(name);
  return at == runs.end() ? std::vector<double>{} : at->second;
}

Judged judge_one(const std::string& name, std::vector<double> before, std::vector<double> after, const Limits& limits) {
  Judged r{name, std::move(before), std::move(after)};
  if (r.before.empty() || r.after.empty()) {
    r.verdict = r.after.empty() ? Verdict::only_before : Verdict::only_after;
    return r;
  }
  r.ratio = median(r.after) / median(r.before);
  r.p = mann_whitney(r.before, r.after).p;
  if (least_p(r.before.size(), r.after.size()) >= limits.alpha)
    r.verdict = Verdict::too_few;
  else if (std::max(variation(r.before), variation(r.after)) > limits.noise)
    r.verdict = Verdict::noisy;
  else if (r.p < limits.alpha && std::max(r.ratio, 1 / r.ratio) >= 1 + limits.change)
    r.verdict = r.ratio > 1 ? Verdict::slower : Verdict::faster;
  return r;
}

}  // namespace

std::string Judged::text() const {
  switch (verdict) {
    case Verdict::same: return "same";
    case Verdict::faster: return "faster";
    case Verdict::slower: return "SLOWER";
    case Verdict::noisy:
      return fmt::format("noisy: varies by {:.0f} %", 100 * std::max(variation(before), variation(after)));
    case Verdict::too_few: return fmt::format("too few: {} and {} repetitions", before.size(), after.size());
    case Verdict::only_before: return "only before";
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
