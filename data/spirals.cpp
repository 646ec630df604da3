#include "spirals.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "../ops/random.h"

namespace weft::data {

Spirals spirals(std::int64_t each, std::int64_t arms, double noise, std::uint64_t seed, Site site) {
  const SiteScope scope(site);
  if (each < 1 || arms < 2 || !(noise >= 0))
    weft::detail::fail_in("spirals",
                          ArgumentError(fmt::format("{} points on each of {} arms with noise {}", each, arms, noise)));
  random::Generator generator(seed);
  const auto jitter = random::normal({each * arms, 2}, 0, noise, f32, generator).to_vector<double>();
  const Tensor x = Tensor::allocate({f32, {each * arms, 2}}), y = Tensor::allocate({i64, {each * arms}});
  for (std::int64_t i = 0; i < each * arms; ++i) {
    const std::int64_t arm = i % arms;
    const double along = static_cast<double>(i / arms + 1) / static_cast<double>(each);  // in (0, 1]
    const double radius = 0.1 + 0.9 * along;
    const double angle = 2 * std::numbers::pi * (1.5 * along + static_cast<double>(arm) / static_cast<double>(arms));
    const auto at = static_cast<std::size_t>(2 * i);
    x.view().as<float>()[at] = static_cast<float>(radius * std::cos(angle) + jitter[at]);
    x.view().as<float>()[at + 1] = static_cast<float>(radius * std::sin(angle) + jitter[at + 1]);
    y.view().as<std::int64_t>()[i] = arm;
  }
  return {x, y};
}

Table Spirals::table() const {
  const auto points = x.to_vector<double>();
  Column a{"x"}, b{"y"}, arm{"arm"};
  for (std::size_t i = 0; i < points.size(); i += 2) {
    a.numbers.push_back(points[i]);
    b.numbers.push_back(points[i + 1]);
  }
  arm.numbers = y.to_vector<double>();
  return Table({a, b, arm});
}

}  // namespace weft::data
