#include "schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft::nn {
namespace {

void check_rate(double rate) {
  if (!(rate >= 0 && std::isfinite(rate)))
    throw ArgumentError(fmt::format("a rate of {}, not a finite number from 0", rate));
}

void check_steps(std::int64_t steps, std::int64_t least) {
  if (steps < least) throw ArgumentError(fmt::format("{} steps, at least {}", steps, least));
}

double share_of(std::int64_t i, std::int64_t steps) {
  return static_cast<double>(std::clamp<std::int64_t>(i, 0, steps)) / static_cast<double>(steps);
}

double half_cosine(double from, double to, double share) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

}  // namespace

using weft::detail::called;

Schedule constant(double rate, Site site) {
  called("constant", site, [&] { check_rate(rate); });
  return [=](std::int64_t) { return rate; };
}

Schedule step_decay(double rate, std::int64_t every, double factor, Site site) {
  called("step_decay", site, [&] {
    check_rate(rate);
    check_rate(factor);
    check_steps(every, 1);
  });
  return [=](std::int64_t i) { return rate * std::pow(factor, static_cast<double>(i / every)); };
}

Schedule cosine(double rate, std::int64_t steps, double low, Site site) {
  called("cosine", site, [&] {
    check_rate(rate);
    check_rate(low);
    check_steps(steps, 1);
  });
  return [=](std::int64_t i) { return half_cosine(rate, low, share_of(i, steps)); };
}

Schedule linear(double rate, std::int64_t steps, double low, Site site) {
  called("linear", site, [&] {
    check_rate(rate);
    check_rate(low);
    check_steps(steps, 1);
  });
  return [=](std::int64_t i) { return i >= steps ? low : rate + (low - rate) * share_of(i, steps); };
}

Schedule one_cycle(double peak, std::int64_t steps, double rising, Site site) {
  const double top = rising * static_cast<double>(steps) - 1, end = static_cast<double>(steps - 1);
  called("one_cycle", site, [&] {
    check_rate(peak);
    check_steps(steps, 2);
    if (!(rising < 1 && top > 0))
      throw ArgumentError(
          fmt::format("it rises for {} of {} steps, not for more than one and less than all", rising, steps));
  });
  return [=](std::int64_t i) {
    const double at = std::clamp(static_cast<double>(i), 0.0, end);
    return at <= top ? half_cosine(peak / 25, peak, at / top)
                     : half_cosine(peak, peak / 250000, (at - top) / (end - top));
  };
}

Schedule warm_up(std::int64_t steps, Schedule then, Site site) {
  called("warm_up", site, [&] { check_steps(steps, 0); });
  return [steps, then = std::move(then)](std::int64_t i) {
    return i < steps ? then(0) * static_cast<double>(i + 1) / static_cast<double>(steps + 1) : then(i - steps);
  };
}

}  // namespace weft::nn
