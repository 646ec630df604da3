#include "mann_whitney.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace bench {
namespace {

struct Ranks {
  std::vector<std::int64_t> twice;  // twice the rank of each number, a's first: equal ones share the mean of theirs
  double ties = 0;                  // sum of t^3 - t over runs of t equal numbers
};

Ranks ranks_of(std::span<const double> a, std::span<const double> b) {
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  std::vector<double> sorted = all;
  std::sort(sorted.begin(), sorted.end());
  Ranks ranks;
  for (const double x : all) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), x);
    ranks.twice.push_back((first - sorted.begin() + 1) + (last - sorted.begin()));
  }
  for (auto at = sorted.begin(); at != sorted.end();) {
    const auto end = std::upper_bound(at, sorted.end(), *at);
    const auto t = static_cast<double>(end - at);
    ranks.ties += t * t * t - t;
    at = end;
  }
  return ranks;
}

// Of all ways to choose n of the ranks, the part whose sum is on the far side of `sum`, twice: both sides.
double exact(const std::vector<std::int64_t>& ranks, std::size_t n, std::int64_t sum) {
  std::int64_t total = 0;
  for (const std::int64_t r : ranks) total += r;
  // ways[k][s]: to choose k of the ranks seen so far with the sum s
  std::vector<std::vector<double>> ways(n + 1, std::vector<double>(static_cast<std::size_t>(total) + 1));
  ways[0][0] = 1;
  for (const std::int64_t r : ranks)
    for (std::size_t k = n; k > 0; --k)
      for (std::int64_t s = total; s >= r; --s)
        ways[k][static_cast<std::size_t>(s)] += ways[k - 1][static_cast<std::size_t>(s - r)];
  double below = 0, above = 0, all = 0;
  for (std::int64_t s = 0; s <= total; ++s) {
    const double count = ways[n][static_cast<std::size_t>(s)];
    all += count;
    if (s <= sum) below += count;
    if (s >= sum) above += count;
  }
  return std::min(1.0, 2 * std::min(below, above) / all);
}

double normal(double u, double n, double m, double ties) {
  const double total = n + m;
  const double deviation = std::sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))));
  if (deviation == 0) return 1;  // all numbers are equal
  const double z = std::max(0.0, std::abs(u - n * m / 2) - 0.5) / deviation;
  return std::erfc(z / std::sqrt(2.0));
}

}  // namespace

MannWhitney mann_whitney(std::span<const double> a, std::span<const double> b) {
  const Ranks ranks = ranks_of(a, b);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += ranks.twice[i];
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  const double u = static_cast<double>(sum) / 2 - n * (n + 1) / 2;
  return {u, a.size() + b.size() <= 60 ? exact(ranks.twice, a.size(), sum) : normal(u, n, m, ranks.ties)};
}

}  // namespace bench
