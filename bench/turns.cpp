#include "turns.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "median.h"

namespace bench {
namespace {

using weft::Tensor;

double largest_difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return INFINITY;
  double most = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (a[k].shape() != b[k].shape()) return INFINITY;
    const double off = max(abs(a[k] - b[k])).item();
    if (!std::isfinite(off)) return INFINITY;
    most = std::max(most, off);
  }
  return most;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// The times of a turn's steps: at least one, for so long; their median.
double turn(const Contender& c, double seconds, std::vector<double>& times) {
  for (const double end = now() + seconds; seconds > 0 && now() < end;) c.step.run();
  const std::size_t before = times.size();
  const double end = now() + seconds;
  do {
    const double start = now();
    c.step.run();
    times.push_back(now() - start);
  } while (now() < end);
  return median({times.begin() + static_cast<std::ptrdiff_t>(before), times.end()});
}

}  // namespace

void make_agree(const Contender& a, const Contender& b, double tolerance) {
  for (int i = 0; i < 5; ++i) a.step.run(), b.step.run();
  if (const double off = largest_difference(a.step.results(), b.step.results()); !(off < tolerance))
    throw weft::Error(fmt::format("the two results differ by {}", off));
}

void time_in_turns(benchmark::State& state, const Contender& a, const Contender& b, double tolerance, double seconds) {
  make_agree(a, b, tolerance);
  take_turns(state, a, b, seconds);
}

void take_turns(benchmark::State& state, const Contender& a, const Contender& b, double seconds) {
  std::vector<double> first, second;
  for (auto _ : state) {
    state.SetIterationTime(turn(a, seconds, first));
    turn(b, seconds, second);
  }
  state.counters[a.counter] = median(first) / a.repeats;
  state.counters[b.counter] = median(second) / b.repeats;
  state.counters["ratio"] = median(first) / a.repeats / (median(second) / b.repeats);
}

}  // namespace bench
